/* nvidia-smi.exe: prints what lies in smi.txt beside it and ends with the number in its first line;
   a number below 0 hangs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

int main(void) {
    char path[MAX_PATH], line[4096];
    GetModuleFileNameA(NULL, path, sizeof path);
    strcpy(strrchr(path, '\\') + 1, "smi.txt");
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) return 9;
    int code = atoi(line);
    if (code < 0) Sleep(INFINITE);
    while (fgets(line, sizeof line, file)) fputs(line, stdout);
    return code;
}
