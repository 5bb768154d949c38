// Splits in two, for Python.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "halves.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

template <typename T>
typename Halves<T>::Part part_of(const Halves<T>& self, std::int64_t begin, std::int64_t end,
                                 int depth) {
  require(self.holds({begin, end, depth}), "there is no such part, or it was split already");
  return {begin, end, depth};
}

template <typename T>
void two_of(const Halves<T>& self, const InC<T>& centers) {
  require(centers.shape(0) == 2 && static_cast<std::int64_t>(centers.shape(1)) == self.matrix().d,
          "two centres are needed, with as many columns as the rows");
}

template <typename T>
void bind(nb::module_& m, const char* name) {
  using Self = Halves<T>;
  static constexpr const char* stops[] = {"fixed point", "tolerance", "max_iter", "cycle", ""};
  nb::class_<Self>(m, name)
      .def(
          "__init__",
          [](Self* self, In2<T> x, MaybeWeights weights) {
            new (self) Self(matrix(x), data_of(weights, x.shape(0)));
          },
          "x"_a.noconvert(), "weights"_a.none().noconvert(), nb::keep_alive<1, 2>(),
          nb::keep_alive<1, 3>())
      .def("lloyd",
           [](Self& self, std::int64_t begin, std::int64_t end, int depth, InC<T> centers,
              In1<std::int64_t> exponents, int bits, std::int64_t max_iter, double tol,
              int threads) {
             const auto part = part_of(self, begin, end, depth);
             const std::int64_t d = self.matrix().d;
             two_of(self, centers);
             require(static_cast<std::int64_t>(exponents.shape(0)) == d + 1,
                     "an exponent is needed for each column");
             require_grid(exponents, bits);
             require(max_iter >= 1, "at least one iteration is needed");
             std::vector<T> two(centers.data(), centers.data() + 2 * d);
             typename Self::Ended ended;
             {
               nb::gil_scoped_release release;
               ended = self.lloyd(part, two.data(), Magic(exponents.data(), d + 1, bits), max_iter,
                                  tol, some(threads));
             }
             return nb::make_tuple(copy_of(two, {2, static_cast<std::size_t>(d)}),
                                   ended.iterations, stops[static_cast<int>(ended.stop)]);
           },
           "begin"_a, "end"_a, "depth"_a, "centers"_a.noconvert(), "exponents"_a.noconvert(),
           "bits"_a, "max_iter"_a, "tol"_a, "threads"_a)
      .def("put",
           [](Self& self, std::int64_t begin, std::int64_t end, int depth,
              In1<std::int32_t> labels) {
             const auto part = part_of(self, begin, end, depth);
             require(static_cast<std::int64_t>(labels.shape(0)) == part.size() &&
                         within(labels.data(), labels.shape(0), 0, 2),
                     "a side is needed for each row");
             self.put(part, labels.data());
           },
           "begin"_a, "end"_a, "depth"_a, "labels"_a.noconvert())
      .def("part",
           [](Self& self, std::int64_t begin, std::int64_t end, int depth, InC<T> centers,
              int threads) {
             const auto part = part_of(self, begin, end, depth);
             two_of(self, centers);
             std::vector<typename Self::Side> sides;
             {
               nb::gil_scoped_release release;
               sides = self.part(part, centers.data(), some(threads));
             }
             nb::list found;
             for (const auto& side : sides) {
               nb::object peaks = nb::none();
              if (!side.peaks.empty()) peaks = nb::cast(copy_of(side.peaks, {side.peaks.size()}));
              found.append(nb::make_tuple(side.rows, side.inertia, side.weight, peaks));
             }
             return found;
           },
           "begin"_a, "end"_a, "depth"_a, "centers"_a.noconvert(), "threads"_a)
      .def("take",
           [](const Self& self, std::int64_t begin, std::int64_t end, int depth,
              In1<std::int64_t> numbers) {
             const auto part = part_of(self, begin, end, depth);
             for (std::size_t i = 0; i < numbers.shape(0); ++i) {
               require(numbers(i) >= 0 && numbers(i) < part.size(), "there is no such row");
             }
             Out<T> out =
                 new_array<T>({numbers.shape(0), static_cast<std::size_t>(self.matrix().d)});
             self.take(part, numbers.data(), numbers.shape(0), out.data());
             return out;
           },
           "begin"_a, "end"_a, "depth"_a, "numbers"_a.noconvert())
      .def("numbers",
           [](const Self& self, std::int64_t begin, std::int64_t end, int depth) {
             const auto part = part_of(self, begin, end, depth);
             Out<std::int64_t> out = new_array<std::int64_t>({static_cast<std::size_t>(part.size())});
             self.numbers(part, out.data());
             return out;
           },
           "begin"_a, "end"_a, "depth"_a)
      .def("total", [](const Self& self) {
        require(self.split(), "the rows were never split");
        return self.total();
      });
}

}  // namespace

void bind_halves(nb::module_& m) {
  bind<float>(m, "HalvesF32");
  bind<double>(m, "HalvesF64");
}

}  // namespace omnimeans
