// A file that the core's threads read from, each into memory of its own, right before they compute.
//
// Plain reads, no map: a map counts as memory held, and a file that is cut short under it ends the
// process.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace omnimeans {

// What a message says when the file ends too soon, before and after the number of the row.
struct EndsEarly {
  std::string before, after;
};

class File {
 public:
  // Throws std::system_error if the file cannot be opened or read.
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Reads from this place on; returns how many bytes there were.
  std::int64_t read(std::int64_t offset, std::int64_t bytes, void* to) const;
  // How many bytes it has now.
  std::int64_t size() const;

 private:
  std::string path_;
  std::intptr_t handle_;
};

}  // namespace omnimeans
