// Which rows differ: an order of rows in which copies follow each other.
#include <algorithm>
#include <cmath>
#include <vector>

#include "arrays.hpp"

namespace omnimeans {
namespace {

struct Place {
  double away;
  std::int64_t row;
};

template <typename T>
bool differ(const T* a, const T* b, std::int64_t d) {
  std::int64_t f = 0;
  while (f < d && a[f] == b[f]) ++f;
  return f < d;
}

// Orders rows by how far `away` they are; equally far ones by their values, and copies by number.
// Writes where each different row begins.
template <typename T>
void order_rows(const Matrix<T>& x, const double* away, std::int64_t* order,
                std::vector<std::int64_t>& firsts) {
  std::vector<Place> places(x.n);
  for (std::int64_t i = 0; i < x.n; ++i) places[i] = {away[i], i};
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.away != b.away ? a.away < b.away : a.row < b.row;
  });
  for (auto begin = places.begin(); begin != places.end();) {
    auto end = begin + 1;
    while (end != places.end() && end->away == begin->away) ++end;
    if (end - begin > 1) {
      std::stable_sort(begin, end, [&](const Place& a, const Place& b) {
        return std::lexicographical_compare(x.row(a.row), x.row(a.row) + x.d, x.row(b.row),
                                            x.row(b.row) + x.d);
      });
    }
    begin = end;
  }
  for (std::int64_t m = 0; m < x.n; ++m) {
    order[m] = places[m].row;
    if (m == 0 || places[m].away != places[m - 1].away ||
        differ(x.row(order[m]), x.row(order[m - 1]), x.d)) {
      firsts.push_back(m);
    }
  }
}

}  // namespace

void bind_different(nb::module_& m) {
  const auto bind = [&]<typename T>(T) {
    m.def(
        "order_rows",
        [](In2<T> x, In1<double> away) -> nb::object {
          require(away.shape(0) == x.shape(0), "a distance is needed for each row");
          const auto missing = [](double value) { return std::isnan(value); };
          if (std::any_of(away.data(), away.data() + away.shape(0), missing)) return nb::none();
          const Matrix<T> rows = matrix(x);
          Out<std::int64_t> order = new_array<std::int64_t>({x.shape(0)});
          std::vector<std::int64_t> firsts;
          {
            nb::gil_scoped_release release;
            order_rows(rows, away.data(), order.data(), firsts);
          }
          return nb::make_tuple(order, copy_of(firsts, {firsts.size()}));
        },
        nb::arg("x").noconvert(), nb::arg("away").noconvert());
  };
  bind(float{});
  bind(double{});
}

}  // namespace omnimeans
