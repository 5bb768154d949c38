// Room for codes, made in code for every processor; see make_room.
#include <algorithm>
#include <cmath>
#include <limits>

#include "codes.hpp"

namespace omnimeans {

void make_room(std::vector<float>& values, std::size_t size) { values.resize(size); }

Codes::Codes(std::int64_t n, std::int64_t d)
    : d(static_cast<int>(d)), stride((d + 3) / 4 * 4), values(n * stride, 128), inverse(n), far(n),
      square(n) {}

CodedCenters::CodedCenters(std::int64_t k, std::int64_t d)
    : k(static_cast<int>(k)), padded((this->k + kCodeLanes - 1) / kCodeLanes * kCodeLanes),
      words(static_cast<int>((d + 3) / 4)), panels(static_cast<std::size_t>(padded) * words * 4),
      bias(padded), scale(padded), base(padded),
      start(padded, -std::numeric_limits<float>::infinity()), error(padded) {}

void CodedCenters::measure() {
  for (int j = 0; j < k; ++j) {
    if (std::isinf(base[j])) continue;  // far out, and in doubt anyway
    tallest = std::max(tallest, base[j]);
    widest = std::max(widest, error[j]);
    deepest = std::max(deepest, -kStartSlack * start[j]);
  }
}

}  // namespace omnimeans
