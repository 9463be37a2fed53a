// What the C library makes of WASI's files, directories, times and environment. Prints what it finds; works in the
// empty directory /work.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void Say(const char* what, int result) {
  printf("%s: %d%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : "");
}

static int ByName(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static void List(const char* path) {
  DIR* directory = opendir(path);
  if (directory == NULL) {
    Say(path, -1);
    return;
  }
  char* names[200];
  int count = 0;
  for (struct dirent* entry; (entry = readdir(directory)) != NULL && count < 200;) {
    // Some hosts list "." and "..".
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      names[count++] = strdup(entry->d_name);
  }
  closedir(directory);
  qsort(names, count, sizeof names[0], ByName);
  printf("%s has %d:", path, count);
  for (int k = 0; k < count; ++k) {
    if (k < 4 || k == count - 1) printf(" %s", names[k]);
    free(names[k]);
  }
  printf("\n");
}

int main(int argc, char** argv) {
  for (int k = 1; k < argc; ++k) printf("argument %d: %s\n", k, argv[k]);
  printf("HOME=%s, NONE=%s\n", getenv("HOME"), getenv("NONE") == NULL ? "(null)" : "?");
  setenv("NONE", "now set", 1);
  printf("NONE=%s\n", getenv("NONE"));

  Say("mkdir", mkdir("/work/sub", 0777));
  Say("mkdir again", mkdir("/work/sub", 0777));
  for (int k = 0; k < 150; ++k) {
    char name[100];
    snprintf(name, sizeof name, "/work/sub/a file with quite a long name, number %03d", k);
    FILE* file = fopen(name, "w");
    fprintf(file, "%d\n", k);
    fclose(file);
  }
  List("/work/sub");

  FILE* file = fopen("/work/text", "w+");
  for (int k = 0; k < 10000; ++k) fprintf(file, "line %d\n", k);
  printf("at %ld\n", ftell(file));
  fseek(file, -10, SEEK_END);
  char line[100];
  printf("%s", fgets(line, sizeof line, file));
  rewind(file);
  int lines = 0;
  while (fgets(line, sizeof line, file) != NULL) ++lines;
  printf("%d lines, last %s", lines, line);
  fclose(file);
  file = fopen("/work/text", "a");
  fputs("appended\n", file);
  fclose(file);

  struct stat st;
  Say("stat", stat("/work/text", &st));
  printf("size %lld, regular %d, directory %d\n", (long long)st.st_size, S_ISREG(st.st_mode),
         S_ISDIR(st.st_mode));
  const struct timespec times[2] = {{1000000000, 5}, {1234567890, 0}};
  Say("utimensat", utimensat(AT_FDCWD, "/work/text", times, 0));
  stat("/work/text", &st);
  printf("modified %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  Say("truncate", truncate("/work/text", 7));
  Say("rename", rename("/work/text", "/work/sub/moved"));
  Say("link", link("/work/sub/moved", "/work/linked"));
  Say("symlink", symlink("sub/moved", "/work/pointer"));
  memset(line, 0, sizeof line);
  Say("readlink", (int)readlink("/work/pointer", line, sizeof line));
  printf("%s\n", line);
  Say("lstat", lstat("/work/pointer", &st));
  printf("link %d\n", S_ISLNK(st.st_mode));
  file = fopen("/work/pointer", "r");
  printf("%s\n", file != NULL && fgets(line, sizeof line, file) != NULL ? line : "?");
  if (file != NULL) fclose(file);

  Say("unlink directory", unlink("/work/sub"));
  Say("rmdir full", rmdir("/work/sub"));
  Say("open missing", open("/work/missing", O_RDONLY));
  Say("open outside", open("/etc/passwd", O_RDONLY));
  Say("open above", open("/work/../etc/passwd", O_RDONLY));
  Say("open exclusively", open("/work/linked", O_RDWR | O_CREAT | O_EXCL, 0666));
  const int fd = open("/work/linked", O_RDWR);
  Say("pwrite", (int)pwrite(fd, "LINE", 4, 0));
  Say("pread", (int)pread(fd, line, 7, 0));
  printf("%.6s\n", line);
  Say("ftruncate", ftruncate(fd, 100000));
  Say("lseek", (int)lseek(fd, 0, SEEK_END));
  Say("fsync", fsync(fd));
  Say("close", close(fd));
  Say("close again", close(fd));
  List("/work");

  const time_t then = 1709210096;
  struct tm* tm = gmtime(&then);
  strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", tm);
  printf("%s, now is later: %d\n", line, time(NULL) > then);
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  const struct timespec pause = {0, 1000000};
  Say("nanosleep", nanosleep(&pause, NULL));
  clock_gettime(CLOCK_MONOTONIC, &after);
  printf("slept %d\n",
         (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 1000000);
  while (fgets(line, sizeof line, stdin) != NULL) printf("input: %s", line);
  return 42;
}
