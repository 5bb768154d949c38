// The distances of rows to all centres: D itself, to the bit, a tile of both at a time.
//
// D adds feature f to lane f mod 8 and the lanes in one fixed tree (exact.cpp).  Here a vector holds
// eight centres instead, and the features come lane by lane: each of D's lanes becomes a sum of its
// own, in the same order, so that every element goes through the operations of D and no others.
// Cost: three operations for each row, centre and feature (subtract, square, add), and eight loads
// and stores for each row and centre between the lanes.
#pragma once

#include <cstdint>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

inline constexpr int kTableRows = 8;      // of a tile
inline constexpr int kTableCenters = 16;  // of a panel

// Centres in panels: in float64, feature by feature in the order of `order`.
struct Panels {
  Metric metric;
  std::int64_t k, d;
  std::vector<std::int64_t> order;  // (d,) the features, lane by lane
  std::int64_t starts[9];           // where the features of each lane begin in it
  std::vector<double> packed;       // (panels, d, kTableCenters)
};

template <typename Out>
struct TableKernels {
  // Writes what a tile of rows is away from the centres of all panels.  `rows` holds the tiles'
  // features (tiles, d, kTableRows); out(i, j) is at out[i * k + j], and the root is taken if asked
  // for.  `count` is how many rows there are.
  void (*fill)(const Panels&, const double* rows, std::int64_t count, bool root, Out* out);
};

struct Tables {
  TableKernels<float> to_f32;
  TableKernels<double> to_f64;
};

#define OMNIMEANS_DECLARE(isa)    \
  namespace isa {                 \
  const Tables& table_kernels();  \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

// D of each row and centre, or its square root, (n, k), rounded to the type asked for.
template <typename T, typename Out>
void distance_table(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric, bool root,
                    Out* out, int threads);

// The same for one thread that takes some rows at a time; the centres are laid out once.
template <typename T>
class Table {
 public:
  Table(const T* centers, std::int64_t k, std::int64_t d, Metric metric);
  // Writes D of rows [begin, end) and each centre to (end - begin, k); `work` is for its own use.
  void fill(const Matrix<T>& x, std::int64_t begin, std::int64_t end, double* out,
            std::vector<double>& work) const;

 private:
  Panels panels_;
};

}  // namespace omnimeans
