// One run of Lloyd's algorithm on a part, as the files of halves.hpp share it.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "halves.hpp"

namespace omnimeans {

template <typename T>
struct Halves<T>::Pass {
  Part part;
  Matrix<T> x;
  const Magic& grid;
  int threads;
  std::vector<std::int64_t> sums;  // (2, 2, d + 1)
  Plane now, anchor;               // heights are those above the anchor
  bool anchored = false;
  bool fresh = false;              // nobody has measured the radii yet
  double widest = 0;               // the largest radius
  double refused = std::numeric_limits<double>::infinity();  // what the plane may drift at most
  Drift last;                      // of the last step alone
  const std::vector<std::int64_t>* whole = nullptr;  // sums of all rows, if they are known
  std::vector<std::vector<std::int64_t>> shares;     // of each worker, to be added to the sums
  std::vector<double> widest_of;
  std::vector<char> lossy;

  Pass(Part part_, Matrix<T> x_, const Magic& grid_, int threads_)
      : part(part_), x(x_), grid(grid_), threads(threads_), sums(4 * grid_.columns()),
        shares(threads_), widest_of(threads_), lossy(threads_) {}

  std::int64_t* share(int worker) {
    if (shares[worker].empty()) shares[worker].assign(sums.size(), 0);
    return shares[worker].data();
  }
  void collect() {
    for (auto& mine : shares) {
      for (std::size_t i = 0; i < mine.size(); ++i) sums[i] += mine[i];
      mine.clear();
    }
  }
};

}  // namespace omnimeans
