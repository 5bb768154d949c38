// The rows near the plane, the only ones that may change sides soon; see halves.hpp.
#include <algorithm>
#include <cstring>

#include "halves_pass.hpp"
#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr double kAhead = 1;         // steps like the last one until others may be near the plane
constexpr std::int64_t kShare = 4;   // rows near it are worth a copy if they are one in so many

}  // namespace

// Sees to it that the near rows are those that may be on another side now; false if they are many.
template <typename T>
bool Halves<T>::gather(Pass& pass) {
  const Drift drift(pass.anchor, pass.now, pass.widest + pass.anchor.aim.more);
  if (near_.count >= 0 && drift.reach <= near_.reach && drift.turn <= near_.turn) return true;
  const std::int64_t d = x_.d, n = pass.part.size(), base = pass.part.begin;
  near_.count = -1;
  const double bound = drift.reach + drift.turn * pass.widest;
  if (bound > pass.refused) return false;  // there were too many for less
  near_.reach = drift.reach + kAhead * pass.last.step;
  near_.turn = drift.turn + kAhead * pass.last.change;
  if (!near_.numbers.data()) near_.numbers = Room<std::int32_t>(x_.n);
  const double level = near_.reach + near_.turn * pass.anchor.aim.more;
  const auto reach = static_cast<float>(level * (1 + 0x1p-20));
  const auto turn = static_cast<float>(near_.turn * (1 + 0x1p-20));
  const std::int64_t grain = halves_grain(n, d, pass.threads), chunks = (n + grain - 1) / grain;
  std::vector<std::int64_t> found(chunks);
  std::int32_t* numbers = near_.numbers.data();
  finish(parallel(n, grain, pass.threads, [&](int, std::int64_t begin, std::int64_t end) {
    found[begin / grain] = halves_table().near(height_.data() + base + begin,
                                               radius_.data() + base + begin, end - begin, reach,
                                               turn, static_cast<std::int32_t>(begin),
                                               numbers + begin);
  }));
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < chunks; ++c) {
    std::memmove(numbers + count, numbers + c * grain, found[c] * sizeof(std::int32_t));
    count += found[c];
  }
  if (count * kShare > n) {
    pass.refused = bound * static_cast<double>(n) / static_cast<double>(count * kShare);
    return false;
  }
  if (!near_.rows.data()) {
    const std::int64_t most = x_.n / kShare;  // parts only become smaller
    near_.rows = Room<T>(most * d);
    near_.radius = Room<float>(most), near_.height = Room<float>(most);
    near_.side = Room<std::uint8_t>(most);
  }
  finish(parallel(count, grain, pass.threads, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t position = base + numbers[i];
      std::memcpy(near_.rows.data() + i * d, pass.x.row(position), d * sizeof(T));
      near_.radius.data()[i] = radius_.data()[position];
      near_.side.data()[i] = side_.data()[position];
    }
  }));
  near_.count = count;
  return true;
}

template <typename T>
void Halves<T>::look_near(Pass& pass, const T* centers) {
  const std::int64_t d = x_.d;
  const Aim aim = pass.now.aimed();
  const bool finished = parallel(
      near_.count, halves_grain(near_.count, d, pass.threads), pass.threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        std::uint8_t now[kHalvesBatch];
        for (std::int64_t from = begin; from < end; from += kHalvesBatch) {
          const std::int64_t count = std::min(kHalvesBatch, end - from);
          const T* x = near_.rows.data() + from * d;
          std::uint8_t* before = near_.side.data() + from;
          halves_for<T>().look(x, count, d, d, aim, near_.radius.data() + from,
                               near_.height.data() + from, now);
          if (std::memcmp(now, before, count) == 0) continue;
          settle(pass, centers, x, d, count, now, near_.numbers.data() + from, 0,
                 pass.share(worker));
          std::memcpy(before, now, count);
        }
      });
  pass.collect();
  finish(finished);
}

#define OMNIMEANS_HALVES(T)                   \
  template bool Halves<T>::gather(Pass&);     \
  template void Halves<T>::look_near(Pass&, const T*);
OMNIMEANS_HALVES(float)
OMNIMEANS_HALVES(double)

}  // namespace omnimeans
