// The way down the tree; see tree.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "pool.hpp"

namespace omnimeans {

// What a box is told on the way down.
struct News {
  bool complete;  // the boxes above have kept account of all moves since it was last told
  bool same;      // its candidates are those of last time
  // What any two of its candidates have moved together, at most:
  double owed;   // in passes that did not come here,
  double moved;  // and since the last pass.
  double all() const { return owed + moved; }
};

// One thread's work space for walking down a part.
template <typename T>
struct Tree<T>::Walk {
  static constexpr double kDown = 1 - 0x1p-20;  // more than any rounding of a margin
  static constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  static constexpr float kMost = 1e38f;  // of a row's margin

  Tree& tree;
  const T* centers;
  std::int64_t k;
  bool fresh;
  std::int64_t d = tree.d_;
  std::vector<std::int32_t> stack;  // candidates of the boxes above, one list after the other
  std::vector<double> lead, away;   // of the candidates of one box
  std::int32_t chosen[kLeaf], labels[kLeaf];  // of the rows that a last box has to decide
  double closest[kLeaf], second[kLeaf];
  std::int64_t compared = 0;

  Walk(Tree& tree, const T* centers, std::int64_t k, bool fresh)
      : tree(tree), centers(centers), k(k), fresh(fresh), stack(k), lead(k), away(k) {
    std::iota(stack.begin(), stack.end(), 0);
  }

  // The most that two of these candidates have moved together since the last pass.
  double moved(std::int64_t from, std::int64_t count) const {
    double first = 0, second = 0;
    for (std::int64_t m = from; m < from + count; ++m) {
      const double move = tree.moves_[stack[m]];
      second = std::max(second, std::min(first, move));
      first = std::max(first, move);
    }
    return first + second;
  }

  // Copies the candidates [from, from + count) that some point of the box may belong to, to the top
  // of the stack; returns how many.  `near` is the centre to beat: any of them will do, a near one
  // best.  `room` gets what two may move together before one that was dropped may come back.
  std::int64_t filter(const double* box, std::int64_t from, std::int64_t count, std::int32_t& near,
                      double& room) {
    box_kernels_for<T>().leads(box, box + d, d, centers, near, stack.data() + from, count,
                               tree.metric_, lead.data(), away.data());
    compared += count;
    const std::int64_t top = from + count;
    std::int64_t left = 0;
    double least = kUnlimited, closest = kUnlimited;
    for (std::int64_t m = 0; m < count; ++m) {
      stack[top + left] = stack[from + m];
      if (lead[m] < 0) {
        if (away[m] < closest) closest = away[m], near = stack[from + m];
        ++left;
      } else {
        least = std::min(least, lead[m]);
      }
    }
    room = kDown * (tree.metric_ == Metric::euclidean ? std::sqrt(0.5 * least) : least);
    return left;
  }

  // The candidate to begin with: the one that is nearest to the middle of the box.
  std::int32_t nearest_to_middle(const double* box, std::int64_t from, std::int64_t count) {
    box_kernels_for<T>().leads(box, box + d, d, centers, stack[from], stack.data() + from, count,
                               tree.metric_, lead.data(), away.data());
    return stack[from + (std::min_element(away.begin(), away.begin() + count) - away.begin())];
  }

  // Puts a box's candidates on top of those of the box above; says whether they are those of last
  // time.
  bool narrow(Part& part, std::int32_t number, std::int64_t from, std::int64_t count,
              const News& news, std::int64_t& left) {
    Node& node = part.nodes[number];
    const std::int64_t top = from + count;
    if (static_cast<std::int64_t>(stack.size()) < top + count) stack.resize(2 * (top + count));
    auto& known = node.kept;
    if (news.complete && news.same && node.room > 0 && !known.empty()) {
      left = static_cast<std::int64_t>(known.size());
      std::copy(known.begin(), known.end(), stack.begin() + top);
      return true;
    }
    const double* box = part.boxes.data() + 2 * d * number;
    // The centre to beat is a candidate, so that it is among those whose moves are known.
    if (fresh || !std::binary_search(stack.begin() + from, stack.begin() + top, node.near)) {
      node.near = nearest_to_middle(box, from, count);
    }
    left = filter(box, from, count, node.near, node.room);
    const std::int32_t *now = stack.data() + top, *end = now + left;
    const bool same = std::equal(now, end, known.begin(), known.end());
    if (!same) known.assign(now, left <= kLongest ? end : now);
    return same && news.complete;
  }

  template <class Found>
  void visit(Part& part, std::int32_t number, std::int64_t from, std::int64_t count,
             const News& news, Found& found) {
    Node& node = part.nodes[number];
    node.room -= news.all();
    node.spare -= news.all();
    if (news.complete && news.same && node.spare > 0) {
      node.owed += news.all();
      return;
    }
    const bool entered = node.kept.size() != 1;  // last time
    const std::int64_t top = from + count;
    std::int64_t kept = 0;
    const bool same = narrow(part, number, from, count, news, kept);
    node.spare = node.room;
    if (kept == 1) {
      node.owed = 0;
      const std::int32_t label = stack[top];
      if (!fresh && node.owner == label) return;
      for (std::int64_t i = node.begin; i < node.end; ++i) put(i, label, found);
      own(part, number, label);
      return;
    }
    const News below{news.complete && entered, same, node.owed + news.owed, moved(top, kept)};
    node.owed = 0;
    if (node.left < 0) return decide(node, top, kept, below, found);
    visit(part, node.left, top, kept, below, found);
    visit(part, node.right, top, kept, below, found);
    const Node &left = part.nodes[node.left], &right = part.nodes[node.right];
    node.owner = left.owner == right.owner ? left.owner : -1;
    node.spare = std::min({node.room, left.spare, right.spare});
  }

  template <class Found>
  void put(std::int64_t i, std::int32_t label, Found& found) {
    if (tree.labels_[i] == label) return;
    tree.labels_[i] = label;
    found(tree.buffers_[0].order[i], label, tree.buffers_[0].values.data() + i * d);
  }

  // Decides the rows of a last box, or those whose margins have run out.
  template <class Found>
  void decide(Node& node, std::int64_t top, std::int64_t kept, const News& news, Found& found) {
    const auto& values = tree.buffers_[0].values;
    const bool known = news.complete && news.same;
    const auto moved = static_cast<float>(news.all() * (1 + 0x1p-20));
    std::int32_t owner = known ? node.owner : -1;
    float least = kMost;
    for (std::int64_t begin = node.begin; begin < node.end; begin += kLeaf) {
      const int size = static_cast<int>(std::min<std::int64_t>(kLeaf, node.end - begin));
      float* margins = tree.margins_.data() + begin;
      int count = 0;
      for (int i = 0; i < size; ++i) {
        if (known) margins[i] = (margins[i] - moved) * static_cast<float>(kDown);
        chosen[count] = i;
        count += !(known && margins[i] > 0);
      }
      box_kernels_for<T>().nearest(values.data() + begin * d, chosen, count, d, centers,
                                   stack.data() + top, kept, tree.metric_, labels, closest, second);
      if (!known && begin == node.begin) owner = labels[0];
      for (int m = 0; m < count; ++m) {
        put(begin + chosen[m], labels[m], found);
        if (labels[m] != owner) owner = -1;
        const double near = in_frame(closest[m], tree.metric_, 1);
        const double far = in_frame(second[m], tree.metric_, 1);
        const double margin = (far - near - kBoxSlack * (far + near)) * kDown;
        margins[chosen[m]] = static_cast<float>(std::min<double>(margin, kMost)) * (1 - 0x1p-20f);
      }
      for (int i = 0; i < size; ++i) least = std::min(least, margins[i]);
      compared += kept * count;
    }
    node.owner = owner;
    node.spare = std::min(node.room, static_cast<double>(least));
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
template <class Found>
bool Tree<T>::assign(const T* centers, std::int64_t k, bool fresh, int threads,
                     std::int64_t& compared, Found&& found) {
  const bool told = meet(centers, k, fresh);
  walked_ = false;  // unless it comes to its end
  std::vector<std::unique_ptr<Walk>> walks(threads);
  const bool whole = parallel(
      static_cast<std::int64_t>(parts_.size()), 1, threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        if (!walks[worker]) walks[worker] = std::make_unique<Walk>(*this, centers, k, fresh);
        const auto mine = [&](auto... what) { found(worker, what...); };
        const News news{told, told, 0, walks[worker]->moved(0, k)};
        for (; begin < end; ++begin) walks[worker]->visit(parts_[begin], 0, 0, k, news, mine);
      });
  walked_ = whole;
  for (const auto& walk : walks) compared += walk ? walk->compared : 0;
  return whole;
}

}  // namespace omnimeans
