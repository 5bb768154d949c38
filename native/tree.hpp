// A tree of boxes over the rows, for data of few dimensions: whole boxes find their centre at once.
//
// On the way down, a centre is dropped for a box as soon as another one is nearer to every point of
// it (T. Kanungo and others, "An efficient k-means clustering algorithm: analysis and
// implementation", IEEE PAMI 24, 2002).  A box that is left with one centre, the one it had, costs
// nothing more; the rows of the last boxes are decided by D among the centres that are left.  All
// arithmetic is in float64 on the data as they are, and a centre is only dropped by more than all
// roundings, those of D included.
//
// What was found holds while the centres move little: if every point of a box, or a row, is nearer
// to one centre than to another by some margin, it stays so until the two together have moved that
// far (the triangle inequality).  So a box keeps its list of candidates while its margin lasts, a
// row its label, and a box where nothing has run out yet is not entered at all.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "boxes.hpp"
#include "duel.hpp"
#include "rows.hpp"

namespace omnimeans {

template <typename T>
class Tree {
 public:
  Tree(const Matrix<T>& x, Metric metric, int threads);

  // Calls found(worker, i, label, row) for each row that may have changed; all are looked at if
  // `fresh`.
  // Returns false if interrupted.  `compared` gets the number of distances computed.
  template <class Found>
  [[nodiscard]] bool assign(const T* centers, std::int64_t k, bool fresh, int threads,
                            std::int64_t& compared, Found&& found);
  // Rows have moved by force: no box knows its centre any more.
  void forget();

 private:
  static constexpr int kLeaf = 64;     // rows
  static constexpr int kPart = 4096;   // rows; parts are built and walked in parallel
  static constexpr int kSample = 32;   // rows that decide a split
  static constexpr int kStretch = 1 << 15;  // rows that one thread sorts at a time
  static constexpr int kDeepest = 64;  // levels of a part; what is left then stays together
  static constexpr int kLongest = 1024;  // list of candidates that a box keeps
  // More than what a centre can have moved without D showing it.
  static constexpr double kLeast = 1e-150;

  struct Node {
    std::int64_t begin, end;
    std::int32_t left = -1, right = -1;  // none in a leaf
    std::int32_t owner = -1;             // the label of all its rows, or -1
    std::int32_t near = -1;              // the centre nearest to its middle, in the last pass
    std::vector<std::int32_t> kept = {};  // the candidates that were left, unless there were many
    double room = 0;   // what two centres may move together until a dropped one may count again
    double spare = 0;  // the least of the room in this box and below, and of the rows' margins
    double owed = 0;   // what centres have moved since the boxes below were last entered
  };
  struct Part {
    std::int64_t begin, end;
    bool spare;  // lies in the second buffer
    std::vector<Node> nodes;
    std::vector<double> boxes;  // (nodes, 2, d): least and greatest values
  };
  struct Walk;

  // The rows are sorted from one buffer into the other, and the halves from there back again.
  struct Buffer {
    std::vector<std::int32_t> order;  // numbers of the rows
    std::vector<T> values;            // the rows themselves, (n, d)
  };

  struct Cut {
    std::int64_t feature;
    T pivot;
  };

  bool split(std::int64_t begin, std::int64_t end, bool spare, std::int64_t& middle, int threads);
  template <bool kEqualFirst>
  static bool below(const T* row, const Cut& cut) {
    return kEqualFirst ? row[cut.feature] <= cut.pivot : row[cut.feature] < cut.pivot;
  }
  template <int D, bool kEqualFirst>
  void sort(const Buffer& from, Buffer& to, std::int64_t begin, std::int64_t end, const Cut& cut,
            std::int64_t& front, std::int64_t& back) const;
  template <int D, bool kEqualFirst>
  std::int64_t sort(const Buffer& from, Buffer& to, std::int64_t begin, std::int64_t end,
                    const Cut& cut, int threads) const;
  std::int32_t grow(Part& part, std::int64_t begin, std::int64_t end, bool spare, int depth);
  void enclose(Part& part, std::int32_t number, bool spare);

  // Takes note of what the centres have moved since the last pass; returns whether that is known.
  bool meet(const T* centers, std::int64_t k, bool fresh);

  Metric metric_;
  std::int64_t d_;
  bool walked_ = false;        // the last pass has left its margins
  std::vector<T> last_;        // its centres
  std::vector<double> moves_;  // (k,) how far each has moved since
  std::vector<float> margins_;  // (n,) what two centres may move together until a row may change
  std::vector<std::int32_t> labels_;  // (n,) in the order of the tree; -1: not known
  Buffer buffers_[2];  // the second one only while the tree is built
  std::vector<Part> parts_;
};

}  // namespace omnimeans

#include "tree_walk.hpp"
