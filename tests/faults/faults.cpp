// Disk faults for tests: loaded before the C library (LD_PRELOAD), it stands between a program and its files.
//
// Every call that changes something below FAULTS_BELOW is counted, from 1. Call number FAULTS_AT does not go as the
// program wishes; FAULTS_KIND says how:
//   kill    the process is killed before the call
//   torn    a write stores the first half of its bytes, and the process is killed; other calls as `kill`
//   enospc  the call fails: no space left on the device
//   eio     the call fails: input/output error
//   erofs   the call and all after it fail: read-only file system
//   short   a write stores the first half of its bytes and says so; other calls are not touched
// Instead of that, FAULTS_CHILD says what a process that was forked does at its first read below FAULTS_BELOW, as a library that a
// damaged file harms would:
//   loop    it computes for ever
//   abort   it ends itself by SIGABRT
//   greedy  it asks for more memory than it may have, and ends itself by SIGABRT when it gets none
// Where FAULTS_LOG names a file, a line is added to it for each call. Without FAULTS_BELOW nothing is done.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <atomic>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum class Then { go_on, fail, half };

const char *below() {
  static const char *value = getenv("FAULTS_BELOW");
  return value;
}

bool is_below(const char *path) {
  const char *folder = below();
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}

bool watched(int at, const char *path) {
  if (!below()) return false;
  if (path[0] == '/') return is_below(path);
  char name[64], folder[4096];
  if (at == AT_FDCWD) {
    snprintf(name, sizeof name, "/proc/self/cwd");
  } else {
    snprintf(name, sizeof name, "/proc/self/fd/%d", at);
  }
  ssize_t length = readlink(name, folder, sizeof folder - 1);
  if (length < 0) return false;
  folder[length] = 0;
  return is_below(folder);
}

bool watched(int file) {
  if (!below()) return false;
  char name[64], path[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t length = readlink(name, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = 0;
  return is_below(path);
}

// The process that was started; a fork has another number.
const pid_t started = getpid();

void misbehave_in_fork(int file) {
  static const char *how = getenv("FAULTS_CHILD");
  if (!how || getpid() == started || !watched(file)) return;
  if (!strcmp(how, "loop")) {
    for (volatile unsigned long n = 0;; n = n + 1) {
    }
  }
  if (!strcmp(how, "abort")) abort();
  // Never touched, so that the machine has to give nothing.
  if (!strcmp(how, "greedy")) {
    for (int i = 0; i < 1024; ++i) {
      if (!malloc(size_t{64} << 20)) abort();
    }
  }
}

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// Counts a call and says how it goes; with Then::fail errno is set.
Then count(const char *call, const char *what, bool writes) {
  static std::atomic<long> counted{0};
  static const long at = getenv("FAULTS_AT") ? atol(getenv("FAULTS_AT")) : 0;
  static const char *kind = getenv("FAULTS_KIND") ? getenv("FAULTS_KIND") : "";
  static const char *log = getenv("FAULTS_LOG");
  long number = ++counted;
  if (log) {
    // Past this library, which would count it.
    int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    char line[4300];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call, what);
    if (file >= 0 && length > 0) {
      syscall(SYS_write, file, line, (size_t)length);
      syscall(SYS_close, file);
    }
  }
  if (at > 0 && number >= at && !strcmp(kind, "erofs")) {
    errno = EROFS;
    return Then::fail;
  }
  if (number != at) return Then::go_on;
  if (!strcmp(kind, "kill")) die();
  if (!strcmp(kind, "torn")) {
    if (writes) return Then::half;
    die();
  }
  if (!strcmp(kind, "short")) return writes ? Then::half : Then::go_on;
  errno = !strcmp(kind, "enospc") ? ENOSPC : EIO;
  return Then::fail;
}

bool torn() {
  static const char *kind = getenv("FAULTS_KIND");
  return kind && !strcmp(kind, "torn");
}

template <class F> F next(const char *name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

bool changes(int flags) { return (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY; }

int open_at(int at, const char *path, int flags, mode_t mode) {
  if (changes(flags) && watched(at, path) && count("open", path, false) == Then::fail) return -1;
  return syscall(SYS_openat, at, path, flags | O_LARGEFILE, mode);
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
}

} // namespace

extern "C" {

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list arguments;                                                                                                 \
    va_start(arguments, flags);                                                                                        \
    mode_t mode = mode_of(flags, arguments);                                                                           \
    va_end(arguments);                                                                                                 \
    return open_at(AT_FDCWD, path, flags, mode);                                                                       \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
  int name(int at, const char *path, int flags, ...) {                                                                 \
    va_list arguments;                                                                                                 \
    va_start(arguments, flags);                                                                                        \
    mode_t mode = mode_of(flags, arguments);                                                                           \
    va_end(arguments);                                                                                                 \
    return open_at(at, path, flags, mode);                                                                             \
  }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t length) {
  if (watched(file)) {
    switch (count("write", "", length > 1)) {
    case Then::fail: return -1;
    case Then::half: {
      ssize_t done = syscall(SYS_write, file, bytes, length / 2);
      if (torn()) die();
      return done;
    }
    case Then::go_on: break;
    }
  }
  return syscall(SYS_write, file, bytes, length);
}

ssize_t writev(int file, const struct iovec *parts, int n) {
  // A short write by another name: one part is written, and callers must go on with the rest.
  if (n > 0 && watched(file)) return write(file, parts[0].iov_base, parts[0].iov_len);
  return syscall(SYS_writev, file, parts, n);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t place) {
  if (watched(file)) {
    switch (count("pwrite", "", length > 1)) {
    case Then::fail: return -1;
    case Then::half: {
      ssize_t done = syscall(SYS_pwrite64, file, bytes, length / 2, place);
      if (torn()) die();
      return done;
    }
    case Then::go_on: break;
    }
  }
  return syscall(SYS_pwrite64, file, bytes, length, place);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t place) { return pwrite64(file, bytes, length, place); }

ssize_t pread64(int file, void *bytes, size_t length, off64_t place) {
  misbehave_in_fork(file);
  return syscall(SYS_pread64, file, bytes, length, place);
}
ssize_t pread(int file, void *bytes, size_t length, off_t place) { return pread64(file, bytes, length, place); }

#define OF_FILE(name)                                                                                                  \
  int name(int file) {                                                                                                 \
    if (watched(file) && count(#name, "", false) == Then::fail) return -1;                                             \
    return next<int (*)(int)>(#name)(file);                                                                            \
  }
OF_FILE(fsync)
OF_FILE(fdatasync)

int ftruncate64(int file, off64_t length) {
  if (watched(file) && count("ftruncate", "", false) == Then::fail) return -1;
  return next<int (*)(int, off64_t)>("ftruncate64")(file, length);
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int rename(const char *from, const char *to) {
  if (watched(AT_FDCWD, to) && count("rename", to, false) == Then::fail) return -1;
  return next<int (*)(const char *, const char *)>("rename")(from, to);
}

int mkdir(const char *path, mode_t mode) {
  if (watched(AT_FDCWD, path) && count("mkdir", path, false) == Then::fail) return -1;
  return next<int (*)(const char *, mode_t)>("mkdir")(path, mode);
}

int unlink(const char *path) {
  if (watched(AT_FDCWD, path) && count("unlink", path, false) == Then::fail) return -1;
  return next<int (*)(const char *)>("unlink")(path);
}

int unlinkat(int at, const char *path, int flags) {
  if (watched(at, path) && count("unlinkat", path, false) == Then::fail) return -1;
  return next<int (*)(int, const char *, int)>("unlinkat")(at, path, flags);
}

int rmdir(const char *path) {
  if (watched(AT_FDCWD, path) && count("rmdir", path, false) == Then::fail) return -1;
  return next<int (*)(const char *)>("rmdir")(path);
}

} // extern "C"
