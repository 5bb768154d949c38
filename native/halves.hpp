// Rows that are split in two again and again: bisecting k-means.
//
// With two centres a label is the side of a plane.  One product per row says on which side it lies
// and how far from the plane; while the plane moves by less than that, the row is not looked at
// again.  The rows near the plane are copied to where they lie together, and only they are looked at
// until the plane has left their midst.  Whatever rounding errors leave in doubt is decided by D, so
// the labels are those of any other way.  After a split the rows of each half are brought together,
// in their order; their sums are known from the split already, if all of them are exact.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "exact.hpp"
#include "halves_kernels.hpp"
#include "halves_plane.hpp"
#include "rows.hpp"

namespace omnimeans {

inline constexpr std::int64_t kHalvesBatch = 256;  // rows looked at together

// The kernels in use, and the rows that a thread takes at a time.
const HalvesTable& halves_table();
template <typename T>
const HalvesKernels<T>& halves_for();
template <>
const HalvesKernels<float>& halves_for<float>();
template <>
const HalvesKernels<double>& halves_for<double>();
const ExactHalvesTable& exact_halves_table();
template <typename T>
const ExactHalves<T>& exact_halves_for();
template <>
const ExactHalves<float>& exact_halves_for<float>();
template <>
const ExactHalves<double>& exact_halves_for<double>();
std::int64_t halves_grain(std::int64_t n, std::int64_t d, int threads);

// Memory that is not written to before it is used.
template <typename T>
class Room {
 public:
  Room() = default;
  explicit Room(std::size_t count);
  T* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const;
  };
  std::unique_ptr<T, Free> data_;
};

template <typename T>
class Halves {
 public:
  // A part of the rows: positions [begin, end) in the order after `depth` splits.
  struct Part {
    std::int64_t begin, end;
    int depth;
    std::int64_t size() const { return end - begin; }
  };
  enum class Stop { fixed_point, tolerance, max_iter, cycle, failed };
  struct Ended {
    Stop stop;
    std::int64_t iterations;
  };
  struct Side {
    std::int64_t rows = 0;
    double inertia = 0, weight = 0;
    std::vector<double> peaks;  // (d + 1,); none where the grid of the part serves its halves, too
  };

  // Points into `x` and `weights` (may be null).
  Halves(Matrix<T> x, const double* weights);

  // Moves the two centres by Lloyd's algorithm; the sides of the rows are then those of the final
  // centres.  It fails where a centre loses all its rows.
  Ended lloyd(Part part, T* centers, const Magic& grid, std::int64_t max_iter, double tol,
              int threads);
  // Sets the sides of the rows by hand.
  void put(Part part, const std::int32_t* labels);
  // Brings the rows of each side together, one level deeper, and measures them.
  std::vector<Side> part(Part part, const T* centers, int threads);

  void take(Part part, const std::int64_t* numbers, std::int64_t count, T* out) const;
  void numbers(Part part, std::int64_t* out) const;
  // The exact sum of the weighted distances of all rows from the centres of their parts.
  double total() const;

  const Matrix<T>& matrix() const { return x_; }
  // Whether this is a part that was not split yet.
  bool holds(Part part) const {
    const auto found = parts_.find(part.begin);
    return found != parts_.end() && found->second.part.end == part.end &&
           found->second.part.depth == part.depth;
  }
  bool split() const { return away_.data() != nullptr; }

 private:
  struct Pass;
  // What is known of a part.
  struct Held {
    Part part;
    std::vector<double> reference;   // (d,) where the radii of its rows are measured from
    double widest = 0;               // the largest of them
    std::vector<std::int64_t> sums;  // (2, d + 1) of its rows; none if not known
  };
  // The rows near a plane, which lie together.
  struct Near {
    std::int64_t count = -1;  // -1: not in use
    double reach = 0, turn = 0;  // how far the plane may go until others are near it
    Room<std::int32_t> numbers;  // their positions, from the part's begin
    Room<T> rows;
    Room<float> radius, height;
    Room<std::uint8_t> side;
  };

  Matrix<T> rows(int depth) const;
  std::int64_t number(int depth, std::int64_t position) const {
    return depth == 0 ? position : numbers_[depth % 2].data()[position];
  }
  double weight(int depth, std::int64_t position) const {
    return weights_ ? weights_[number(depth, position)] : 1.0;
  }
  void assign(Pass& pass, const T* centers, bool first);
  void look(Pass& pass, const T* centers, bool first);
  void look_at(Pass& pass, const T* centers, bool first, std::int64_t begin, std::int64_t end,
               int worker);
  bool gather(Pass& pass);
  void look_near(Pass& pass, const T* centers);
  // Decides the rows in doubt, and moves those that change sides.
  void settle(Pass& pass, const T* centers, const T* x, std::int64_t stride, std::int64_t count,
              std::uint8_t* now, const std::int32_t* numbers, std::int64_t from,
              std::int64_t* sums);

  Matrix<T> x_;
  const double* weights_;
  Room<T> rows_[2];
  Room<std::int32_t> numbers_[2];
  Room<double> away_;
  Room<float> height_, radius_;  // height above the plane that all rows were last compared with
  Room<std::uint8_t> side_;
  Near near_;
  std::map<std::int64_t, Held> parts_;  // by where they begin
  std::vector<double> pulled_;   // weights in the order of away_, if there are any
  std::vector<std::int64_t> exponents_;  // of the grid on which all rows are exact; none: not known
  std::vector<std::int64_t> latest_;     // (2, 2, d + 1) sums of the sides of the part last seen
  double limit_ = 0;  // on all distances; 0: not known
};

}  // namespace omnimeans
