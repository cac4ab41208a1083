/* Error numbers as names: the numbers differ from system to system, the names don't. */
#include "tessera.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME(e) \
  case e: \
    return #e;

static const char *name_of(int error) {
  switch (error) {
    NAME(E2BIG)
    NAME(EACCES)
    NAME(EAGAIN)
    NAME(EBADF)
    NAME(EBUSY)
    NAME(EDEADLK)
    NAME(EDOM)
    NAME(EDQUOT)
    NAME(EEXIST)
    NAME(EFAULT)
    NAME(EFBIG)
    NAME(EINTR)
    NAME(EINVAL)
    NAME(EIO)
    NAME(EISDIR)
    NAME(ELOOP)
    NAME(EMFILE)
    NAME(ENAMETOOLONG)
    NAME(ENFILE)
    NAME(ENODEV)
    NAME(ENOENT)
    NAME(ENOLCK)
    NAME(ENOMEM)
    NAME(ENOSPC)
    NAME(ENOSYS)
    NAME(ENOTDIR)
    NAME(ENOTSUP)
    NAME(ENXIO)
    NAME(EOVERFLOW)
    NAME(EPERM)
    NAME(EPIPE)
    NAME(EROFS)
    NAME(ESPIPE)
    NAME(ESTALE)
    NAME(ETIMEDOUT)
    NAME(ETXTBSY)
    NAME(EXDEV)
  }
  return NULL;
}

static int32_t give(const char *from, char *text, int32_t size) {
  if (size < 1) return 0;
  size_t length = strlen(from);
  if (length > (size_t)size) length = (size_t)size;
  memcpy(text, from, length);
  return (int32_t)length;
}

int32_t tessera_errno_name(int32_t error, char *text, int32_t size) {
  char number[32];
  const char *name = name_of(error);
  if (!name) {
    snprintf(number, sizeof number, "errno %d", (int)error);
    name = number;
  }
  return give(name, text, size);
}

int32_t tessera_errno_text(int32_t error, char *text, int32_t size) {
  char message[256];
  if (strerror_r(error, message, sizeof message) != 0) snprintf(message, sizeof message, "unknown error");
  return give(message, text, size);
}
