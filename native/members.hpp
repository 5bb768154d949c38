// The rows of each cluster, kept from one assignment to the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace omnimeans {

class Members {
 public:
  // Numbers of rows, in 32 bits where these are enough.
  class Of {
   public:
    Of(const std::uint32_t* few, std::int64_t size) : few_(few), size_(size) {}
    Of(const std::int64_t* many, std::int64_t size) : many_(many), size_(size) {}
    std::int64_t size() const { return size_; }
    std::int64_t operator[](std::int64_t m) const { return many_ ? many_[m] : few_[m]; }

   private:
    const std::uint32_t* few_ = nullptr;
    const std::int64_t* many_ = nullptr;
    std::int64_t size_;
  };

  // Takes note of new labels; rows for which `counts` is false are left out, always the same ones.
  // Returns whether few rows have moved: left() and joined() then say which.
  template <class Counts>
  bool update(const std::int32_t* labels, std::int64_t n, std::int64_t k, Counts counts) {
    const bool steady = static_cast<std::int64_t>(start_.size()) == k + 1 && collect(labels, n);
    if (n >> 32 > 0) {
      steady ? rearrange(many_) : sort(many_, labels, n, k, counts);
    } else {
      steady ? rearrange(few_) : sort(few_, labels, n, k, counts);
    }
    return steady;
  }
  void forget() { start_.clear(); }

  Of of(std::int64_t j) const {
    const std::int64_t size = start_[j + 1] - start_[j];
    return many_.empty() ? Of(few_.data() + start_[j], size) : Of(many_.data() + start_[j], size);
  }
  Of left(std::int64_t j) const { return part(left_, left_start_, j); }
  Of joined(std::int64_t j) const { return part(joined_, joined_start_, j); }

 private:
  static constexpr std::int64_t kSteady = 16;  // at most one row in so many has moved
  typedef std::vector<std::int64_t> Numbers;

  static Of part(const Numbers& rows, const Numbers& start, std::int64_t j) {
    return {rows.data() + start[j], start[j + 1] - start[j]};
  }

  // Lists the rows that have another label; false if they are too many.
  bool collect(const std::int32_t* labels, std::int64_t n) {
    const auto k = static_cast<std::int64_t>(start_.size()) - 1;
    left_.clear();
    left_start_.assign(k + 1, 0);
    joined_start_.assign(k + 1, 0);
    for (std::int64_t j = 0; j < k; ++j) {
      const Of mine = of(j);
      for (std::int64_t m = 0; m < mine.size(); ++m) {
        const std::int32_t now = labels[mine[m]];
        if (now == j) continue;
        if (kSteady * static_cast<std::int64_t>(left_.size()) >= n) return false;
        left_.push_back(mine[m]);
        ++joined_start_[now + 1];
      }
      left_start_[j + 1] = static_cast<std::int64_t>(left_.size());
    }
    for (std::int64_t j = 0; j < k; ++j) joined_start_[j + 1] += joined_start_[j];
    joined_.resize(left_.size());
    Numbers next(joined_start_.begin(), joined_start_.end() - 1);
    for (const std::int64_t row : left_) joined_[next[labels[row]]++] = row;
    return true;
  }

  // In place: the rows that stay close up, and then make room for those that have joined.
  template <typename Index>
  void rearrange(std::vector<Index>& rows) {
    const auto k = static_cast<std::int64_t>(start_.size()) - 1;
    Numbers stayed(k + 1);  // where a cluster's rows begin that stay
    std::int64_t to = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      stayed[j] = to;
      std::int64_t gone = left_start_[j];  // left_ has them in the same order
      for (std::int64_t from = start_[j]; from < start_[j + 1]; ++from) {
        if (gone < left_start_[j + 1] && left_[gone] == static_cast<std::int64_t>(rows[from])) {
          ++gone;
        } else {
          rows[to++] = rows[from];
        }
      }
    }
    stayed[k] = to;
    std::int64_t end = start_[k];
    for (std::int64_t j = k - 1; j >= 0; --j) {
      start_[j + 1] = end;
      for (std::int64_t m = joined_start_[j + 1]; m-- > joined_start_[j];) {
        rows[--end] = static_cast<Index>(joined_[m]);
      }
      std::copy_backward(rows.begin() + stayed[j], rows.begin() + stayed[j + 1], rows.begin() + end);
      end -= stayed[j + 1] - stayed[j];
    }
  }

  template <typename Index, class Counts>
  void sort(std::vector<Index>& rows, const std::int32_t* labels, std::int64_t n, std::int64_t k,
            Counts counts) {
    start_.assign(k + 1, 0);
    for (std::int64_t i = 0; i < n; ++i) start_[labels[i] + 1] += counts(i);
    for (std::int64_t j = 0; j < k; ++j) start_[j + 1] += start_[j];
    rows.resize(start_[k]);
    Numbers next(start_.begin(), start_.end() - 1);
    for (std::int64_t i = 0; i < n; ++i) {
      if (counts(i)) rows[next[labels[i]]++] = static_cast<Index>(i);
    }
  }

  Numbers start_;                    // (k + 1,) of each cluster's rows; empty while there are none
  std::vector<std::uint32_t> few_;   // rows, cluster by cluster; or, where there are too many for
  std::vector<std::int64_t> many_;   // 32 bits, these
  Numbers left_, left_start_;        // rows that have moved, by the cluster that they left
  Numbers joined_, joined_start_;    // and by the one that they joined
};

}  // namespace omnimeans
