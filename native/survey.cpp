// One look at rows before they are placed: are all values finite, how large, how far apart?
#include "survey.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "arrays.hpp"

namespace omnimeans {

template <typename T>
Extent survey(const Matrix<T>& x) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const std::int64_t d = x.d, wide = d < 16 && x.stride == d ? d * (32 / d) : d;
  // Several short rows are taken as one, so that the loop is worth a vector.
  const std::int64_t together = wide / d, whole = x.n / together * together;
  std::vector<T> low(wide, infinity), high(wide, -infinity), odd(wide, 0);
  const auto look = [&](const T* row, std::int64_t count) {
    T *const l = low.data(), *const h = high.data(), *const o = odd.data();
    for (std::int64_t f = 0; f < count; ++f) {
      const T value = row[f];
      l[f] = value < l[f] ? value : l[f];
      h[f] = value > h[f] ? value : h[f];
      o[f] += value - value;  // stays zero, unless the value is infinite or none
    }
  };
  for (std::int64_t i = 0; i < whole; i += together) look(x.row(i), wide);
  for (std::int64_t i = whole; i < x.n; ++i) look(x.row(i), d);

  Extent found;
  for (std::int64_t f = 0; f < d; ++f) {
    T lowest = infinity, highest = -infinity;
    for (std::int64_t g = f; g < wide; g += d) {
      lowest = std::min(lowest, low[g]);
      highest = std::max(highest, high[g]);
      found.finite = found.finite && odd[g] == 0;
    }
    const double below = lowest, above = highest;
    found.top = std::max({found.top, above, -below});
    found.span = std::max(found.span, 0.5 * above - 0.5 * below);
  }
  return found;
}

template Extent survey(const Matrix<float>&);
template Extent survey(const Matrix<double>&);

void bind_survey(nb::module_& m) {
  const auto bind = [&]<typename T>(T) {
    m.def(
        "survey",
        [](In2<T> x) {
          const Matrix<T> rows = matrix(x);
          Extent found;
          {
            nb::gil_scoped_release release;
            found = survey(rows);
          }
          return nb::make_tuple(found.finite, found.top, found.span);
        },
        nb::arg("x").noconvert());
  };
  bind(float{});
  bind(double{});
}

}  // namespace omnimeans
