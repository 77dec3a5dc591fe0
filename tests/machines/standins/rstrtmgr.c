/* A Restart Manager in which RM_PROGRAMS processes hold every file that it is asked about. */
#include <windows.h>
#include <restartmanager.h>
#include <stdlib.h>
#include <wchar.h>

static UINT asked;

DWORD WINAPI RmStartSession(DWORD *session, DWORD flags, WCHAR key[]) {
    if (flags) return ERROR_INVALID_PARAMETER;
    wcscpy(key, L"0123456789abcdef0123456789abcdef");
    *session = 7;
    return ERROR_SUCCESS;
}

DWORD WINAPI RmRegisterResources(DWORD session, UINT files, LPCWSTR names[], UINT programs,
                                 RM_UNIQUE_PROCESS list[], UINT services, LPCWSTR others[]) {
    if (session != 7 || programs || services) return ERROR_INVALID_HANDLE;
    for (UINT i = 0; i < files; i++)
        if (GetFileAttributesW(names[i]) != INVALID_FILE_ATTRIBUTES) asked++;
    return ERROR_SUCCESS;
}

DWORD WINAPI RmGetList(DWORD session, UINT *needed, UINT *count, RM_PROCESS_INFO found[],
                       LPDWORD reasons) {
    const char *said = getenv("RM_PROGRAMS");
    UINT many = asked && said ? atoi(said) : 0, room = *count;
    *needed = *count = many;
    *reasons = RmRebootReasonNone;
    if (many > room) return ERROR_MORE_DATA;
    for (UINT i = 0; i < many; i++) {
        found[i].Process.dwProcessId = 1000 + i;
        wcscpy(found[i].strAppName, L"Training \u00e4.exe");
        found[i].ApplicationType = RmConsole;
        found[i].bRestartable = FALSE;
    }
    return ERROR_SUCCESS;
}

DWORD WINAPI RmEndSession(DWORD session) {
    return session == 7 ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}
