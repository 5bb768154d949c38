// The way down the tree; see tree.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "pool.hpp"

namespace omnimeans {

// One thread's work space for walking down a part.  D is the number of features, or 0 for any.
template <typename T>
template <Metric M, int D>
struct Tree<T>::Walk {
  Tree& tree;
  const T* centers;
  std::int64_t k;
  bool fresh;
  std::int64_t d = D ? D : tree.d_;
  std::vector<std::int32_t> stack;  // candidates of the boxes above, one list after the other
  std::vector<double> corners;      // (d, 2) how far the box's ends lie from the centre to beat
  std::int32_t labels[kLeaf];
  std::int64_t compared = 0;

  Walk(Tree& tree, const T* centers, std::int64_t k, bool fresh)
      : tree(tree), centers(centers), k(k), fresh(fresh), stack(k), corners(2 * tree.d_) {
    std::iota(stack.begin(), stack.end(), 0);
  }

  static double term(double x) { return M == Metric::euclidean ? x * x : std::fabs(x); }

  // Copies the candidates [from, from + count) that some point of the box may belong to, to the top
  // of the stack; returns how many.  `near` is the centre to beat: any will do, a near one best.
  std::int64_t filter(const double* box, std::int64_t from, std::int64_t count,
                      std::int32_t& near) {
    const std::int64_t top = from + count, features = D ? D : d;
    if (static_cast<std::int64_t>(stack.size()) < top + count) stack.resize(2 * (top + count));
    const double *low = box, *high = box + features;
    double size = 0;  // the farthest that any point of the box is from `near`
    for (std::int64_t f = 0; f < features; ++f) {
      const double c = centers[near * features + f];
      const double a = corners[2 * f] = term(low[f] - c), b = corners[2 * f + 1] = term(high[f] - c);
      size += std::max(a, b);
    }
    const double slack = static_cast<double>(features + 16) * 0x1p-51;
    std::int32_t* kept = stack.data() + top;
    for (std::int64_t m = from; m < top; ++m) {
      // In each feature, what a centre is farther than `near` is least at an end of the box.
      const T* c = centers + stack[m] * features;
      double farther = 0, sizes = size;
      for (std::int64_t f = 0; f < features; ++f) {
        const double a = term(low[f] - c[f]), b = term(high[f] - c[f]);
        farther += std::min(a - corners[2 * f], b - corners[2 * f + 1]);
        sizes += std::max(a, b);
      }
      *kept = stack[m];
      kept += !(farther > slack * sizes);
    }
    compared += count;
    const std::int64_t left = kept - (stack.data() + top);
    near = nearest_to_middle(low, high, top, left);
    return left;
  }

  std::int32_t nearest_to_middle(const double* low, const double* high, std::int64_t from,
                                 std::int64_t count) const {
    std::int32_t best = stack[from];
    if (count == 1) return best;
    double least = std::numeric_limits<double>::infinity();
    const std::int64_t features = D ? D : d;
    for (std::int64_t m = from; m < from + count; ++m) {
      const T* c = centers + stack[m] * features;
      double away = 0;
      for (std::int64_t f = 0; f < features; ++f) away += term(0.5 * low[f] + 0.5 * high[f] - c[f]);
      if (away < least) least = away, best = stack[m];
    }
    return best;
  }

  template <class Found>
  void visit(Part& part, std::int32_t number, std::int64_t from, std::int64_t count, Found& found) {
    Node& node = part.nodes[number];
    const double* box = part.boxes.data() + 2 * d * number;
    if (fresh || node.near >= k) node.near = nearest_to_middle(box, box + d, from, count);
    const std::int64_t top = from + count, kept = filter(box, from, count, node.near);
    if (kept == 1) {
      const std::int32_t label = stack[top];
      if (!fresh && node.owner == label) return;
      const std::int32_t* order = tree.buffers_[0].order.data();
      for (std::int64_t i = node.begin; i < node.end; ++i) found(order[i], label);
      own(part, number, label);
      return;
    }
    if (node.left < 0) return decide(node, top, kept, found);
    visit(part, node.left, top, kept, found);
    visit(part, node.right, top, kept, found);
    const std::int32_t left = part.nodes[node.left].owner, right = part.nodes[node.right].owner;
    node.owner = left == right ? left : -1;
  }

  template <class Found>
  void decide(Node& node, std::int64_t top, std::int64_t kept, Found& found) {
    const auto& [order, values] = tree.buffers_[0];
    bool same = true;
    std::int32_t first = -1;
    for (std::int64_t begin = node.begin; begin < node.end; begin += kLeaf) {
      const std::int64_t rows = std::min<std::int64_t>(kLeaf, node.end - begin);
      exact_for<T>().nearest(values.data() + begin * d, rows, d, centers, stack.data() + top, kept,
                             M, labels);
      if (first < 0) first = labels[0];
      for (std::int64_t i = 0; i < rows; ++i) {
        found(order[begin + i], labels[i]);
        same &= labels[i] == first;
      }
    }
    compared += kept * (node.end - node.begin);
    node.owner = same ? first : -1;
  }

  void own(Part& part, std::int32_t number, std::int32_t label) {
    Node& node = part.nodes[number];
    node.owner = label;
    if (node.left < 0) return;
    own(part, node.left, label);
    own(part, node.right, label);
  }
};

template <typename T>
template <Metric M, int D, class Found>
bool Tree<T>::assign_sized(const T* centers, std::int64_t k, bool fresh, int threads,
                           std::int64_t& compared, Found& found) {
  using Walker = Walk<M, D>;
  std::vector<std::unique_ptr<Walker>> walks(threads);
  const bool whole = parallel(
      static_cast<std::int64_t>(parts_.size()), 1, threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        if (!walks[worker]) walks[worker] = std::make_unique<Walker>(*this, centers, k, fresh);
        const auto mine = [&](std::int64_t row, std::int32_t label) { found(worker, row, label); };
        for (; begin < end; ++begin) walks[worker]->visit(parts_[begin], 0, 0, k, mine);
      });
  for (const auto& walk : walks) compared += walk ? walk->compared : 0;
  return whole;
}

template <typename T>
template <class Found>
bool Tree<T>::assign(const T* centers, std::int64_t k, bool fresh, int threads,
                     std::int64_t& compared, Found&& found) {
  const auto sized = [&]<int D>() {
    return metric_ == Metric::euclidean
               ? assign_sized<Metric::euclidean, D>(centers, k, fresh, threads, compared, found)
               : assign_sized<Metric::manhattan, D>(centers, k, fresh, threads, compared, found);
  };
  switch (d_) {
    case 1: return sized.template operator()<1>();
    case 2: return sized.template operator()<2>();
    case 3: return sized.template operator()<3>();
    case 4: return sized.template operator()<4>();
    default: return sized.template operator()<0>();
  }
}

}  // namespace omnimeans
