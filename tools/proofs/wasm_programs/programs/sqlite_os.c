// SQLite built for no operating system (SQLITE_OS_OTHER) asks for these. Files are those of its own example file
// system, test_demovfs.c, which needs only the C library.
#include "sqlite3.h"

sqlite3_vfs* sqlite3_demovfs(void);

int sqlite3_os_init(void) { return sqlite3_vfs_register(sqlite3_demovfs(), 1); }
int sqlite3_os_end(void) { return SQLITE_OK; }
