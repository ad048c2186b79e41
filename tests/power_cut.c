/* A power cut in the middle of a program: preloaded (LD_PRELOAD), it counts the calls that change a disk and, at the
 * one it was told, ends the process there: a write gets half done, and what never reached the disk by fsync is lost.
 *
 *   power_cut_arm(step, lose)  begin to count; cut at that step (0: never); `lose` what was not synchronised
 *   power_cut_steps()          how many steps there were
 *   power_cut_unsettled()      how many files and names the disk does not hold yet
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 1024
#define CUT_STATUS 99

static long cut_at, steps, names;
static int armed, losing;
static struct { int known, dirty; off_t safe; } files[FILES]; /* `safe`: bytes that survive */

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* What survives is counted here: the disk of the machine need not be waited for. */
static int fsync_of_system(int fd) { return fcntl(fd, F_GETFD) < 0 ? -1 : 0; }
static int truncate_of_system(int fd, off_t size) { REAL(int, "ftruncate64", int, off_t); return real(fd, size); }

static off_t size_of(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : -1;
}

static void cut(void) {
  for (int fd = 0; losing && fd < FILES; fd++)
    if (files[fd].dirty && size_of(fd) > files[fd].safe) truncate_of_system(fd, files[fd].safe);
  _exit(CUT_STATUS);
}

/* Whether this step is the one to be cut at. */
static int last(void) { return armed && ++steps == cut_at; }
static void step(void) { if (last()) cut(); }

static int counts(int fd) { return armed && fd > 2 && fd < FILES && size_of(fd) >= 0; }

void power_cut_arm(long at, int lose) { armed = 1; cut_at = at; losing = lose; steps = names = 0; }
long power_cut_steps(void) { return steps; }
long power_cut_unsettled(void) {
  long open_ends = names;
  for (int fd = 0; fd < FILES; fd++) open_ends += files[fd].dirty;
  return open_ends;
}

static int opened(int fd, int flags, off_t before) {
  if (fd >= 0 && fd < FILES && armed) {
    off_t size = size_of(fd);
    files[fd].known = size >= 0;
    files[fd].dirty = size >= 0 && (flags & O_TRUNC) && before > 0;
    files[fd].safe = size >= 0 ? size : 0;
  }
  return fd;
}

#define OPEN(function) \
  int function(const char *path, int flags, ...) { \
    REAL(int, #function, const char *, int, ...); \
    va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
    struct stat about; off_t before = stat(path, &about) == 0 ? about.st_size : -1; \
    if (armed && (((flags & O_CREAT) && before < 0) || ((flags & O_TRUNC) && before > 0))) step(); \
    return opened(real(path, flags, mode), flags, before); \
  }
OPEN(open)
OPEN(open64)

#define WRITE(function, declared, passed, half) \
  ssize_t function declared { \
    REAL(ssize_t, #function, typeof_##function); \
    if (!counts(fd)) return real passed; \
    if (files[fd].known == 0) opened(fd, 0, 0); \
    files[fd].dirty = 1; \
    if (last()) { real half; cut(); } \
    return real passed; \
  }
#define typeof_write int, const void *, size_t
#define typeof_pwrite int, const void *, size_t, off_t
#define typeof_pwrite64 int, const void *, size_t, off_t
WRITE(write, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, size / 2))
WRITE(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), (fd, data, size / 2, at))
WRITE(pwrite64, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), (fd, data, size / 2, at))

static int settled(int fd) {
  struct stat about;
  if (armed && fd >= 0 && fd < FILES) {
    if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) names = 0;
    files[fd].dirty = 0;
    files[fd].safe = size_of(fd);
  }
  return 0;
}
int fsync(int fd) { if (armed) step(); return fsync_of_system(fd) ? -1 : settled(fd); }
int fdatasync(int fd) { if (armed) step(); return fsync_of_system(fd) ? -1 : settled(fd); }

#define TRUNCATE(function) \
  int function(int fd, off_t size) { \
    if (counts(fd)) { step(); files[fd].dirty = 1; if (size < files[fd].safe) files[fd].safe = size; } \
    return truncate_of_system(fd, size); \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

/* A file that was closed before it reached the disk can still be lost: it is kept open under another number. */
int close(int fd) {
  REAL(int, "close", int);
  if (armed && fd >= 0 && fd < FILES) {
    if (files[fd].dirty) {
      int kept = dup(fd);
      if (kept >= 0 && kept < FILES) files[kept] = files[fd];
    }
    files[fd].known = files[fd].dirty = 0;
  }
  return real(fd);
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  if (armed) { step(); names++; }
  return real(from, to);
}
int renameat(int d, const char *from, int e, const char *to) {
  REAL(int, "renameat", int, const char *, int, const char *);
  if (armed) { step(); names++; }
  return real(d, from, e, to);
}
int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  if (armed && access(path, F_OK) == 0) step();
  return real(path);
}
int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  if (armed && access(path, F_OK) != 0) step();
  return real(path, mode);
}
