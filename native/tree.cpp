// Builds the tree: rows are sorted into halves by the feature that a sample finds widest.
#include "tree.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace omnimeans {
namespace {

const BoxTables& box_kernels() {
#if defined(OMNIMEANS_X86_KERNELS)
  const std::string name = kernels().name;
  if (name == "avx512") return avx512::box_kernels();
  if (name == "avx2") return avx2::box_kernels();
#endif
  return baseline::box_kernels();
}

}  // namespace

template <>
const BoxKernels<float>& box_kernels_for() {
  static const BoxKernels<float>& table = box_kernels().f32;
  return table;
}
template <>
const BoxKernels<double>& box_kernels_for() {
  static const BoxKernels<double>& table = box_kernels().f64;
  return table;
}

template <typename T>
Tree<T>::Tree(const Matrix<T>& x, Metric metric, int threads) : metric_(metric), d_(x.d) {
  for (Buffer& buffer : buffers_) {
    buffer.order.resize(x.n);
    buffer.values.resize(x.n * d_);
  }
  Buffer& buffer = buffers_[0];
  finish(parallel(x.n, rows_per_chunk(x, 1, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      buffer.order[i] = static_cast<std::int32_t>(i);
                      std::memcpy(buffer.values.data() + i * d_, x.row(i), d_ * sizeof(T));
                    }
                  }));
  parts_.push_back({0, x.n, false, {}, {}});
  for (bool more = true; more;) {  // halve all parts until they are small
    std::vector<Part> halves(2 * parts_.size());
    const auto count = static_cast<std::int64_t>(parts_.size());
    const bool few = count < 4 * threads;  // then the threads share each one
    finish(parallel(count, 1, few ? 1 : threads,
                    [&](int, std::int64_t p, std::int64_t) {
                      const auto& [begin, end, spare, nodes, boxes] = parts_[p];
                      std::int64_t middle = end;
                      const bool cut = end - begin > kPart &&
                                       split(begin, end, spare, middle, few ? threads : 1);
                      halves[2 * p] = {begin, middle, spare != cut, {}, {}};
                      halves[2 * p + 1] = {middle, end, spare != cut, {}, {}};
                    }));
    std::erase_if(halves, [](const Part& part) { return part.begin == part.end; });
    more = halves.size() > parts_.size();
    parts_ = std::move(halves);
  }
  finish(parallel(static_cast<std::int64_t>(parts_.size()), 1, threads,
                  [&](int, std::int64_t p, std::int64_t) {
                    Part& part = parts_[p];
                    grow(part, part.begin, part.end, part.spare, 0);
                  }));
  buffers_[1] = Buffer();
  margins_.resize(x.n);
  labels_.assign(x.n, -1);
}

// Rows below the pivot go to the front, the others to the back; or those that are no greater.
template <typename T>
template <int D, bool kEqualFirst>
void Tree<T>::sort(const Buffer& from, Buffer& to, std::int64_t begin, std::int64_t end,
                   const Cut& cut, std::int64_t& front, std::int64_t& back) const {
  const std::int64_t d = D ? D : d_;
  const T* row = from.values.data() + begin * d;
  for (std::int64_t i = begin; i < end; ++i, row += d) {
    // Without a branch, which would be wrong half of the time.
    const std::int64_t first = below<kEqualFirst>(row, cut);
    const std::int64_t place = back - 1 + first * (front - back + 1);
    front += first;
    back -= 1 - first;
    to.order[place] = from.order[i];
    std::memcpy(to.values.data() + place * d, row, d * sizeof(T));
  }
}

// The same on several threads: how many rows go to the front is counted first, stretch by stretch,
// so that each stretch knows its places.  Returns where the back begins.
template <typename T>
template <int D, bool kEqualFirst>
std::int64_t Tree<T>::sort(const Buffer& from, Buffer& to, std::int64_t begin, std::int64_t end,
                           const Cut& cut, int threads) const {
  std::int64_t front = begin, back = end;
  const std::int64_t n = end - begin, stretches = (n + kStretch - 1) / kStretch;
  if (threads == 1 || stretches == 1) {
    sort<D, kEqualFirst>(from, to, begin, end, cut, front, back);
    return front;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> places(stretches);
  finish(parallel(n, kStretch, threads, [&](int, std::int64_t first, std::int64_t last) {
    std::int64_t count = 0;
    const T* row = from.values.data() + (begin + first) * d_;
    for (std::int64_t i = first; i < last; ++i, row += d_) count += below<kEqualFirst>(row, cut);
    places[first / kStretch] = {count, last - first - count};
  }));
  for (auto& [ahead, behind] : places) {
    front += std::exchange(ahead, front);
    back -= std::exchange(behind, back);
  }
  finish(parallel(n, kStretch, threads, [&](int, std::int64_t first, std::int64_t last) {
    auto [ahead, behind] = places[first / kStretch];
    sort<D, kEqualFirst>(from, to, begin + first, begin + last, cut, ahead, behind);
  }));
  return front;
}

// Sorts the rows [begin, end) into two parts, in the other buffer; false if they are all the same.
template <typename T>
bool Tree<T>::split(std::int64_t begin, std::int64_t end, bool spare, std::int64_t& middle,
                    int threads) {
  const Buffer& from = buffers_[spare];
  Buffer& to = buffers_[!spare];
  const T* rows = from.values.data() + begin * d_;
  const std::int64_t n = end - begin, count = std::min<std::int64_t>(kSample, n);
  const std::int64_t step = n / count;
  std::int64_t feature = 0;
  double widest = 0;
  for (std::int64_t f = 0; f < d_; ++f) {
    T low = rows[f], high = low;
    for (std::int64_t m = 1; m < count; ++m) {
      low = std::min(low, rows[m * step * d_ + f]);
      high = std::max(high, rows[m * step * d_ + f]);
    }
    const double width = static_cast<double>(high) - static_cast<double>(low);
    if (width > widest) widest = width, feature = f;
  }
  if (widest == 0) {  // the sample's rows are equal: does any row differ?
    const T* other = rows + d_;
    while (other < rows + n * d_ && std::equal(other, other + d_, rows)) other += d_;
    if (other == rows + n * d_) return false;
    feature = std::mismatch(other, other + d_, rows).first - other;
  }
  T sample[kSample];
  for (std::int64_t m = 0; m < count; ++m) sample[m] = rows[m * step * d_ + feature];
  std::nth_element(sample, sample + count / 2, sample + count);
  const Cut cut{feature, sample[count / 2]};
  const auto sorted = [&]<bool kEqualFirst>() {
    switch (d_) {
      case 1: return sort<1, kEqualFirst>(from, to, begin, end, cut, threads);
      case 2: return sort<2, kEqualFirst>(from, to, begin, end, cut, threads);
      case 3: return sort<3, kEqualFirst>(from, to, begin, end, cut, threads);
      case 4: return sort<4, kEqualFirst>(from, to, begin, end, cut, threads);
      default: return sort<0, kEqualFirst>(from, to, begin, end, cut, threads);
    }
  };
  middle = sorted.template operator()<false>();
  // None below the pivot: then some are above it, since the feature is not the same everywhere.
  if (middle == begin) middle = sorted.template operator()<true>();
  return true;
}

template <typename T>
std::int32_t Tree<T>::grow(Part& part, std::int64_t begin, std::int64_t end, bool spare,
                           int depth) {
  const auto number = static_cast<std::int32_t>(part.nodes.size());
  part.nodes.push_back({begin, end});
  part.boxes.resize(part.boxes.size() + 2 * d_);
  std::int64_t middle = end;
  if (end - begin > kLeaf && depth < kDeepest && split(begin, end, spare, middle, 1)) {
    const std::int32_t left = grow(part, begin, middle, !spare, depth + 1);
    const std::int32_t right = grow(part, middle, end, !spare, depth + 1);
    part.nodes[number].left = left;
    part.nodes[number].right = right;
  }
  enclose(part, number, spare);
  return number;
}

// The box of a node: around those of its children, or around its rows, which end in the first buffer.
template <typename T>
void Tree<T>::enclose(Part& part, std::int32_t number, bool spare) {
  const Node& node = part.nodes[number];
  double* low = part.boxes.data() + 2 * d_ * number;
  double* high = low + d_;
  const auto merge = [&](const auto* least, const auto* greatest) {
    for (std::int64_t f = 0; f < d_; ++f) {
      low[f] = std::min<double>(low[f], least[f]);
      high[f] = std::max<double>(high[f], greatest[f]);
    }
  };
  if (node.left >= 0) {
    const double* left = part.boxes.data() + 2 * d_ * node.left;
    const double* right = part.boxes.data() + 2 * d_ * node.right;
    std::copy(left, left + 2 * d_, low);
    merge(right, right + d_);
    return;
  }
  const T* rows = buffers_[spare].values.data();
  if (spare) {
    std::copy(buffers_[1].order.begin() + node.begin, buffers_[1].order.begin() + node.end,
              buffers_[0].order.begin() + node.begin);
    std::copy(rows + node.begin * d_, rows + node.end * d_,
              buffers_[0].values.begin() + node.begin * d_);
  }
  std::copy(rows + node.begin * d_, rows + (node.begin + 1) * d_, low);
  std::copy(low, low + d_, high);
  for (std::int64_t i = node.begin + 1; i < node.end; ++i) merge(rows + i * d_, rows + i * d_);
}

template <typename T>
bool Tree<T>::meet(const T* centers, std::int64_t k, bool fresh) {
  const std::int64_t size = k * d_;
  const bool told = walked_ && !fresh && static_cast<std::int64_t>(last_.size()) == size;
  moves_.assign(k, 0.0);
  for (std::int64_t j = 0; told && j < k; ++j) {
    const T *before = last_.data() + j * d_, *now = centers + j * d_;
    if (std::equal(now, now + d_, before)) continue;
    const double away = exact_for<T>().distance(before, now, d_, metric_);
    moves_[j] = in_frame(away, metric_, 1) * (1 + 0x1p-20) + kLeast;
  }
  last_.assign(centers, centers + size);
  return told;
}

template <typename T>
void Tree<T>::forget() {
  walked_ = false;
  std::fill(labels_.begin(), labels_.end(), -1);
  for (Part& part : parts_) {
    for (Node& node : part.nodes) node.owner = -1;
  }
}

template class Tree<float>;
template class Tree<double>;

}  // namespace omnimeans
