/* A stand-in for libcuda.so.1: what gpudoctor asks, with the numbers of cuda.h.
 *
 * CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER are obeyed as the driver obeys them: the list ends at
 * its first invalid entry, the same device twice leaves none, UUIDs may be shortened.
 */
#include "answers.h"
#include <ctype.h>
#include <strings.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101 };
enum { MOST = 64 };

static int devices[MOST];
static int device_count, ready;

static const char *const NAMES[][2] = {
    {"100", "CUDA_ERROR_NO_DEVICE"},
    {"101", "CUDA_ERROR_INVALID_DEVICE"},
    {"34", "CUDA_ERROR_STUB_LIBRARY"},
    {"36", "CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER"},
    {"2", "CUDA_ERROR_OUT_OF_MEMORY"},
    {"802", "CUDA_ERROR_SYSTEM_NOT_READY"},
    {"803", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
    {"804", "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"},
    {"999", "CUDA_ERROR_UNKNOWN"},
};

static int rank_of(int gpu) {
    const char *value = answer("gpu.%d.cuda_rank", gpu);
    return value ? atoi(value) : gpu;
}

static int find_uuid(const char *entry, const int *order, int count) {
    int found = -1;
    for (int i = 0; i < count; i++) {
        const char *uuid = answer("gpu.%d.uuid", order[i]);
        int hit = uuid && strncasecmp(uuid, entry, strlen(entry)) == 0;
        for (int slot = 0; slot < 7 && !hit; slot++) {
            const char *mig = answer("gpu.%d.mig.%d", order[i], slot);
            hit = mig && strncasecmp(mig, entry, strlen(entry)) == 0;
        }
        if (hit && found >= 0) return -1;
        if (hit) found = i;
    }
    return found;
}

static void choose(const int *order, int count) {
    const char *mask = getenv("CUDA_VISIBLE_DEVICES");
    device_count = 0;
    if (mask == NULL) {
        for (int i = 0; i < count; i++) devices[device_count++] = order[i];
        return;
    }
    char *copy = strdup(mask), *state = NULL;
    for (char *word = strtok_r(copy, ",", &state); word; word = strtok_r(NULL, ",", &state)) {
        while (isspace((unsigned char)*word)) word++;
        int place = -1;
        if (strncasecmp(word, "GPU-", 4) == 0 || strncasecmp(word, "MIG-", 4) == 0)
            place = find_uuid(word, order, count);
        else if (isdigit((unsigned char)*word))
            place = atoi(word);
        if (place < 0 || place >= count) break;
        for (int i = 0; i < device_count; i++)
            if (devices[i] == order[place]) {
                device_count = 0;
                free(copy);
                return;
            }
        devices[device_count++] = order[place];
    }
    free(copy);
}

int cuDriverGetVersion(int *version) {
    *version = (int)answer_number(0, "cuda");
    return *version ? SUCCESS : INVALID_VALUE;
}

int cuInit(unsigned flags) {
    (void)flags;
    answer_behave("cuda.behave");
    int code = (int)answer_number(SUCCESS, "cuda.init");
    if (code) return code;
    int order[MOST], count = 0;
    long long total = answer_number(0, "cuda.count");
    for (int gpu = 0; gpu < total && gpu < MOST; gpu++) order[count++] = gpu;
    const char *by = getenv("CUDA_DEVICE_ORDER");
    if (by == NULL || strcmp(by, "PCI_BUS_ID") != 0)
        for (int i = 1; i < count; i++)
            for (int j = i; j > 0 && rank_of(order[j]) < rank_of(order[j - 1]); j--) {
                int swapped = order[j];
                order[j] = order[j - 1];
                order[j - 1] = swapped;
            }
    choose(order, count);
    ready = device_count > 0;
    return ready ? SUCCESS : NO_DEVICE;
}

int cuGetErrorName(int code, const char **name) {
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(NAMES[i][0], text) == 0) {
            *name = NAMES[i][1];
            return SUCCESS;
        }
    *name = NULL;
    return INVALID_VALUE;
}

int cuDeviceGetCount(int *count) {
    *count = device_count;
    return ready ? SUCCESS : NOT_INITIALIZED;
}
int cuDeviceGet(int *device, int ordinal) {
    if (!ready) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= device_count) return INVALID_DEVICE;
    *device = devices[ordinal];
    return SUCCESS;
}
int cuDeviceGetName(char *out, int size, int device) {
    const char *value = answer("gpu.%d.name", device);
    snprintf(out, (size_t)size, "%s", value ? value : "");
    return value ? SUCCESS : INVALID_DEVICE;
}
int cuDeviceGetAttribute(int *out, int attribute, int device) {
    const char *value = answer("gpu.%d.capability", device);
    int major = 0, minor = 0;
    if (value) sscanf(value, "%d.%d", &major, &minor);
    switch (attribute) {
    case 75: *out = major; return SUCCESS;
    case 76: *out = minor; return SUCCESS;
    case 16: value = answer("gpu.%d.multiprocessors", device); break;
    case 18: value = answer("gpu.%d.integrated", device); break;
    case 20: value = answer("gpu.%d.compute_mode", device); break;
    default: return INVALID_VALUE;
    }
    *out = value ? atoi(value) : 0;
    return SUCCESS;
}
int cuDeviceTotalMem_v2(size_t *out, int device) {
    const char *value = answer("gpu.%d.memory", device);
    if (value == NULL) value = answer("gpu.%d.cuda_memory", device);
    *out = value ? strtoull(value, NULL, 0) : 0;
    return value ? SUCCESS : INVALID_DEVICE;
}
int cuDeviceGetPCIBusId(char *out, int size, int device) {
    const char *value = answer("gpu.%d.address", device);
    snprintf(out, (size_t)size, "%s", value ? value : "");
    return value ? SUCCESS : INVALID_DEVICE;
}
int cuDeviceGetUuid_v2(unsigned char *out, int device) {
    const char *value = answer("gpu.%d.mig.0", device);
    if (value == NULL) value = answer("gpu.%d.uuid", device);
    if (value == NULL || strlen(value) < 40) return INVALID_DEVICE;
    int place = 0;
    for (const char *c = value + 4; *c && place < 32; c++)
        if (isxdigit((unsigned char)*c)) {
            int digit = isdigit((unsigned char)*c) ? *c - '0' : tolower(*c) - 'a' + 10;
            if (place % 2 == 0) out[place / 2] = (unsigned char)(digit << 4);
            else out[place / 2] |= (unsigned char)digit;
            place++;
        }
    return SUCCESS;
}
