/* A stand-in for libnvidia-ml.so.1: the functions that gpudoctor asks, with numbers of nvml.h. */
#include "answers.h"
#include <stdint.h>

enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, SMALL = 7 };

typedef struct {
    char busIdLegacy[16];
    unsigned domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} PciInfo;

typedef struct { unsigned long long total, free, used; } Memory;

typedef struct {
    unsigned pid;
    unsigned long long used;
    unsigned instance, compute;
} Process;

static long gpu_of(void *handle) { return (long)(intptr_t)handle - 1; }

static int text(void *handle, const char *field, char *out, unsigned size) {
    const char *value = answer("gpu.%ld.%s", gpu_of(handle), field);
    if (value == NULL) return NOT_SUPPORTED;
    snprintf(out, size, "%s", value);
    return SUCCESS;
}

static int number(void *handle, const char *field, unsigned *out) {
    const char *value = answer("gpu.%ld.%s", gpu_of(handle), field);
    if (value == NULL) return NOT_SUPPORTED;
    *out = (unsigned)strtoul(value, NULL, 0);
    return SUCCESS;
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    answer_behave("nvml.behave");
    return (int)answer_number(SUCCESS, "nvml.init");
}
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == 18 ? "Driver/library version mismatch" : "error"; }

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    const char *value = answer("driver");
    snprintf(out, size, "%s", value ? value : "");
    return value ? SUCCESS : NOT_SUPPORTED;
}
int nvmlSystemGetNVMLVersion(char *out, unsigned size) {
    const char *value = answer("nvml.version");
    snprintf(out, size, "%s", value ? value : "");
    return value ? SUCCESS : NOT_SUPPORTED;
}
int nvmlSystemGetCudaDriverVersion_v2(int *out) {
    *out = (int)answer_number(0, "cuda");
    return *out ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetCount_v2(unsigned *out) {
    *out = (unsigned)answer_number(0, "nvml.count");
    return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    const char *error = answer("gpu.%u.nvml_error", index);
    *out = (void *)(intptr_t)(index + 1);
    return error ? atoi(error) : SUCCESS;
}
int nvmlDeviceGetName(void *h, char *out, unsigned size) {
    const char *hang = answer("gpu.%ld.behave", gpu_of(h));
    if (hang && strcmp(hang, "hang") == 0)
        for (;;) sleep(60);
    return text(h, "name", out, size);
}
int nvmlDeviceGetUUID(void *h, char *out, unsigned size) {
    if ((intptr_t)h < 1000) return text(h, "uuid", out, size);
    long number = (long)(intptr_t)h - 1000;
    const char *value = answer("gpu.%ld.mig.%ld", number / 10, number % 10);
    snprintf(out, size, "%s", value ? value : "");
    return value ? SUCCESS : NOT_FOUND;
}
int nvmlDeviceGetPciInfo_v3(void *h, PciInfo *out) {
    const char *address = answer("gpu.%ld.address", gpu_of(h));
    const char *id = answer("gpu.%ld.pci_id", gpu_of(h));
    unsigned vendor = 0, device = 0;
    memset(out, 0, sizeof *out);
    if (address == NULL) return NOT_SUPPORTED;
    snprintf(out->busId, sizeof out->busId, "0000%s", address);
    if (id) sscanf(id, "%x:%x", &vendor, &device);
    out->pciDeviceId = device << 16 | vendor;
    return SUCCESS;
}
int nvmlDeviceGetCudaComputeCapability(void *h, int *major, int *minor) {
    const char *value = answer("gpu.%ld.capability", gpu_of(h));
    return value && sscanf(value, "%d.%d", major, minor) == 2 ? SUCCESS : NOT_SUPPORTED;
}
int nvmlDeviceGetMemoryInfo(void *h, Memory *out) {
    const char *value = answer("gpu.%ld.memory", gpu_of(h));
    if (value == NULL) return NOT_SUPPORTED;
    out->total = strtoull(value, NULL, 0);
    value = answer("gpu.%ld.free", gpu_of(h));
    out->free = value ? strtoull(value, NULL, 0) : out->total;
    out->used = out->total - out->free;
    return SUCCESS;
}
int nvmlDeviceGetMigMode(void *h, unsigned *now, unsigned *next) {
    int code = number(h, "mig", now);
    *next = *now;
    return code;
}
int nvmlDeviceGetMaxMigDeviceCount(void *h, unsigned *out) {
    (void)h;
    *out = 7;
    return SUCCESS;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void *h, unsigned slot, void **out) {
    if (answer("gpu.%ld.mig.%u", gpu_of(h), slot) == NULL) return NOT_FOUND;
    *out = (void *)(intptr_t)(1000 + gpu_of(h) * 10 + (long)slot);
    return SUCCESS;
}
int nvmlDeviceGetComputeMode(void *h, unsigned *out) { return number(h, "compute_mode", out); }
int nvmlDeviceGetEccMode(void *h, unsigned *now, unsigned *next) {
    int code = number(h, "ecc", now);
    *next = *now;
    return code;
}
int nvmlDeviceGetTotalEccErrors(void *h, int kind, int counter, unsigned long long *out) {
    unsigned value = 0;
    (void)kind, (void)counter;
    int code = number(h, "ecc_errors", &value);
    *out = value;
    return code;
}
int nvmlDeviceGetCurrPcieLinkGeneration(void *h, unsigned *out) { return number(h, "pcie_generation", out); }
int nvmlDeviceGetMaxPcieLinkGeneration(void *h, unsigned *out) { return number(h, "pcie_generation_max", out); }
int nvmlDeviceGetCurrPcieLinkWidth(void *h, unsigned *out) { return number(h, "pcie_width", out); }
int nvmlDeviceGetMaxPcieLinkWidth(void *h, unsigned *out) { return number(h, "pcie_width_max", out); }
int nvmlDeviceGetPowerManagementLimit(void *h, unsigned *out) { return number(h, "power", out); }
int nvmlDeviceGetPowerManagementDefaultLimit(void *h, unsigned *out) { return number(h, "power_default", out); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *h, unsigned long long *out) {
    unsigned value = 0;
    int code = number(h, "throttle", &value);
    *out = value;
    return code;
}
int nvmlDeviceGetDriverModel_v2(void *h, unsigned *now, unsigned *next) { *next = 0; return number(h, "driver_model", now); }
int nvmlDeviceGetPersistenceMode(void *h, unsigned *out) { return number(h, "persistence", out); }
int nvmlDeviceGetDisplayActive(void *h, unsigned *out) { return number(h, "display", out); }
int nvmlDeviceGetComputeRunningProcesses_v3(void *h, unsigned *count, Process *out) {
    const char *value = answer("gpu.%ld.pids", gpu_of(h));
    unsigned found = 0;
    if (value == NULL || *value == 0) {
        *count = 0;
        return SUCCESS;
    }
    char *copy = strdup(value), *state = NULL;
    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
        if (out != NULL && found < *count) {
            memset(&out[found], 0, sizeof *out);
            out[found].pid = (unsigned)atoi(word);
        }
        found++;
    }
    free(copy);
    int code = out == NULL || found > *count ? SMALL : SUCCESS;
    *count = found;
    return code;
}
