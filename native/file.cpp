#include "file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace omnimeans {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 30;  // bytes that one call may ask for

#ifdef _WIN32

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), path);
}

std::intptr_t opened(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(std::max(length, 1)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  const HANDLE file =
      CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) fail(path);
  return reinterpret_cast<std::intptr_t>(file);
}

void closed(std::intptr_t handle) { CloseHandle(reinterpret_cast<HANDLE>(handle)); }

std::int64_t length_of(std::intptr_t handle, const std::string& path) {
  LARGE_INTEGER size;
  if (!GetFileSizeEx(reinterpret_cast<HANDLE>(handle), &size)) fail(path);
  return size.QuadPart;
}

std::int64_t some(std::intptr_t handle, const std::string& path, char* to, std::int64_t bytes,
                  std::int64_t offset) {
  OVERLAPPED place = {};
  place.Offset = static_cast<DWORD>(offset & 0xffffffff);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD got = 0;
  if (!ReadFile(reinterpret_cast<HANDLE>(handle), to, static_cast<DWORD>(bytes), &got, &place) &&
      GetLastError() != ERROR_HANDLE_EOF) {
    fail(path);
  }
  return got;
}

#else

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

std::intptr_t opened(const std::string& path) {
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0) fail(path);
  return handle;
}

void closed(std::intptr_t handle) { ::close(static_cast<int>(handle)); }

std::int64_t length_of(std::intptr_t handle, const std::string& path) {
  struct stat status;
  if (::fstat(static_cast<int>(handle), &status) != 0) fail(path);
  return status.st_size;
}

std::int64_t some(std::intptr_t handle, const std::string& path, char* to, std::int64_t bytes,
                  std::int64_t offset) {
  for (;;) {
    const auto got = ::pread(static_cast<int>(handle), to, static_cast<std::size_t>(bytes),
                             static_cast<off_t>(offset));
    if (got >= 0) return got;
    if (errno != EINTR) fail(path);
  }
}

#endif

}  // namespace

File::File(const std::string& path) : path_(path), handle_(opened(path)) {}

File::~File() { closed(handle_); }

std::int64_t File::size() const { return length_of(handle_, path_); }

std::int64_t File::read(std::int64_t offset, std::int64_t bytes, void* to) const {
  std::int64_t got = 0;
  while (got < bytes) {
    const std::int64_t step = some(handle_, path_, static_cast<char*>(to) + got,
                                   std::min(bytes - got, kMost), offset + got);
    if (step == 0) break;
    got += step;
  }
  return got;
}

}  // namespace omnimeans
