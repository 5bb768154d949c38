// The Python face of the core: arrays in, arrays out, the GIL released while it works.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "arrays.hpp"
#include "course.hpp"
#include "pool.hpp"
#include "rows.hpp"
#include "seeding.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace omnimeans {
template <typename T>
void bind_seeding(nb::module_& m, const char* name);  // in bind_seeding.cpp

namespace {

Screening screening_of(const std::string& name) {
  require(name == "tiles" || name == "codes" || name == "race", "unknown screen");
  return name == "tiles" ? Screening::tiles : name == "codes" ? Screening::codes : Screening::race;
}

template <typename T>
void bind_rows(nb::module_& m, const char* name, const char* seeding_name) {
  using Self = Rows<T>;
  nb::class_<Self>(m, name)
      .def(
          "__init__",
          [](Self* self, In2<T> x, MaybeWeights weights, Labels labels, const std::string& kernel,
             In1<std::int64_t> exponents, int bits) {
            const Matrix<T> rows = matrix(x);
            require(labels.shape(0) == x.shape(0), "a label is needed for each row");
            require(exponents.shape(0) == x.shape(1) + 1, "an exponent is needed for each column");
            require_grid(exponents, bits);
            new (self) Self(rows, data_of(weights, x.shape(0)), labels.data(), metric_of(kernel),
                            Magic(exponents.data(), rows.d + 1, bits));
          },
          "x"_a.noconvert(), "weights"_a.none().noconvert(), "labels"_a.noconvert(), "kernel"_a, "exponents"_a.noconvert(), "bits"_a,
          // The arrays must live as long as the rows that point into them.
          nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>())
      .def("set_frame",
           [](Self& self, In1<T> offset, double mean_square) {
             require(static_cast<std::int64_t>(offset.shape(0)) == self.matrix().d,
                     "an offset is needed for each column");
             self.set_frame(offset.data(), mean_square);
           },
           "offset"_a.noconvert(), "mean_square"_a)
      .def("step",
           [](Self& self, InC<T> centers, int threads, bool tree, bool bounded,
              const std::string& screen) {
             require(static_cast<std::int64_t>(centers.shape(1)) == self.matrix().d &&
                         centers.shape(0) > 0,
                     "the centres need as many columns as the rows");
             require(self.framed(), "the rows have no frame yet");
             const Way way{tree, bounded, screening_of(screen)};
             Counts seen;
             {
               nb::gil_scoped_release release;
               seen = self.step(centers.data(), centers.shape(0), some(threads),
                                way);
             }
             return nb::make_tuple(seen.moved, seen.redecided, seen.compared);
           },
           "centers"_a.noconvert(), "threads"_a, "tree"_a = false, "bounded"_a = false,
           "screen"_a = "tiles")
      .def(
          "course",
          [](Self& self, InC<T> start, In1<std::int64_t> exponents, int bits, double spread,
             double remoteness, std::int64_t max_iter, double tol, int threads) -> nb::object {
            const std::size_t k = start.shape(0), d = self.matrix().d;
            require(start.shape(1) == d && k > 0 && exponents.shape(0) == d + 1,
                    "the centres need as many columns as the rows");
            require_grid(exponents, bits);
            require(self.framed() && self.metric() == Metric::euclidean,
                    "the rows have no frame yet, or centres other than means");
            Course<T> found;
            {
              nb::gil_scoped_release release;
              found = course(self, start.data(), k, exponents.data(), bits, {spread, remoteness},
                             max_iter, tol, some(threads));
            }
            if (!found.usual) return nb::none();
            Out<double> lines = new_array<double>({found.lines.size(), kFigures});
            if (!found.lines.empty()) {
              std::memcpy(lines.data(), found.lines.data(), found.lines.size() * sizeof(Line));
            }
            return nb::make_tuple(lines, copy_of(found.centers, {k, d}));
          },
          "start"_a.noconvert(), "exponents"_a.noconvert(), "bits"_a, "spread"_a, "remoteness"_a,
          "max_iter"_a, "tol"_a, "threads"_a)
      .def("resume",
           [](Self& self, std::int64_t k) {
             require(k > 0 && within(self.labels(), self.matrix().n, 0, k),
                     "every row needs a label below the number of clusters");
             self.resume(k);
           },
           "k"_a)
      .def("bounds",
           [](const Self& self) -> nb::object {
             const std::size_t n = self.matrix().n;
             require(within(self.labels(), n, 0, self.clusters()), "the rows have no labels yet");
             Out<double> out = new_array<double>({2, n});
             if (!self.bounds(out.data(), out.data() + n)) return nb::none();
             return nb::cast(out);
           })
      .def("sums",
           [](const Self& self) {
             const std::size_t columns = self.matrix().d + 1;
             const std::size_t k = self.sums().size() / (2 * columns);
             return copy_of(self.sums(), {k, 2, columns});
           })
      .def("total",
           [](const Self& self, int threads) {
             std::vector<std::int64_t> sum;
             {
               nb::gil_scoped_release release;
               sum = self.total(some(threads));
             }
             return copy_of(sum, {1, 2, sum.size() / 2});
           })
      .def("relabel",
           [](Self& self, In1<std::int64_t> numbers, std::int32_t cluster) {
             const std::int64_t n = self.matrix().n, k = self.clusters();
             require(cluster >= 0 && cluster < k, "there is no such cluster");
             for (std::size_t m = 0; m < numbers.shape(0); ++m) {
               require(numbers(m) >= 0 && numbers(m) < n, "there is no such row");
               require(within(self.labels() + numbers(m), 1, 0, k), "a row has no cluster yet");
             }
             self.relabel(numbers.data(), numbers.shape(0), cluster);
           },
           "numbers"_a.noconvert(), "cluster"_a)
      .def(
          "distances",
          [](const Self& self, InC<T> centers, std::optional<In1<std::int32_t>> labels,
             int threads) {
            const std::size_t n = self.matrix().n;
            require(static_cast<std::int64_t>(centers.shape(1)) == self.matrix().d &&
                        centers.shape(0) > 0,
                    "the centres need as many columns as the rows");
            require(!labels || (labels->shape(0) == n &&
                                within(labels->data(), n, 0, centers.shape(0))),
                    "the number of a centre is needed for each row");
            Out<double> out = new_array<double>({n});
            {
              nb::gil_scoped_release release;
              self.distances(centers.data(), labels ? labels->data() : nullptr, out.data(),
                             some(threads));
            }
            return out;
          },
          "centers"_a.noconvert(), "labels"_a.none().noconvert(), "threads"_a)
      .def(
          "inertia",
          [](const Self& self, InC<T> centers, std::optional<In1<std::int32_t>> labels,
             int threads) {
            const std::size_t n = self.matrix().n;
            require(static_cast<std::int64_t>(centers.shape(1)) == self.matrix().d &&
                        centers.shape(0) > 0,
                    "the centres need as many columns as the rows");
            require(!labels || (labels->shape(0) == n &&
                                within(labels->data(), n, 0, centers.shape(0))),
                    "the number of a centre is needed for each row");
            nb::gil_scoped_release release;
            return self.inertia(centers.data(), labels ? labels->data() : nullptr, some(threads));
          },
          "centers"_a.noconvert(), "labels"_a.none().noconvert(), "threads"_a)
      .def(
          "medians",
          [](Self& self, std::size_t k, int threads) {
            const std::size_t n = self.matrix().n, d = self.matrix().d;
            require(k > 0 && k <= INT32_MAX && within(self.labels(), n, 0, k),
                    "every row needs a label below the number of clusters");
            Out<double> out = new_array<double>({k, d});
            {
              nb::gil_scoped_release release;
              self.medians(k, out.data(), some(threads));
            }
            return out;
          },
          "k"_a, "threads"_a)
      .def("seeding",
           [](const Self& self, int threads) -> std::unique_ptr<Seeding<T>> {
             require(self.framed(), "the rows have no frame yet");
             return std::make_unique<RowsSeeding<T>>(self, some(threads));
           },
           nb::keep_alive<0, 1>());

  bind_seeding<T>(m, seeding_name);

  m.def(
      "peaks",
      [](In2<T> x, MaybeWeights weights, int threads) {
        const Matrix<T> rows = matrix(x);
        const double* w = data_of(weights, x.shape(0));
        std::vector<double> all;
        {
          nb::gil_scoped_release release;
          all = peaks(rows, w, some(threads));
        }
        return copy_of(all, {all.size()});
      },
      "x"_a.noconvert(), "weights"_a.none().noconvert(), "threads"_a);
  m.def("nearest", [](In2<T> x, InC<T> centers, const std::string& kernel, int threads) {
    const Matrix<T> rows = matrix(x);
    require(x.shape(1) == centers.shape(1) && centers.shape(0) > 0,
            "the centres need as many columns as the rows");
    const Metric metric = metric_of(kernel);
    Out<std::int32_t> out = new_array<std::int32_t>({x.shape(0)});
    {
      nb::gil_scoped_release release;
      nearest(rows, centers.data(), centers.shape(0), metric, out.data(), some(threads));
    }
    return out;
  }, "x"_a.noconvert(), "centers"_a.noconvert(), "kernel"_a, "threads"_a);
  m.def("pairs", [](InC<T> a, InC<T> b, const std::string& kernel) {
    require(a.shape(0) == b.shape(0) && a.shape(1) == b.shape(1), "two equal shapes are needed");
    const Metric metric = metric_of(kernel);
    const std::size_t n = a.shape(0), d = a.shape(1);
    Out<double> out = new_array<double>({n});
    {
      nb::gil_scoped_release release;
      for (std::size_t i = 0; i < n; ++i) {
        exact_for<T>().distances(a.data() + i * d, b.data() + i * d, 1, d, d, metric,
                                 out.data() + i);
      }
    }
    return out;
  }, "a"_a.noconvert(), "b"_a.noconvert(), "kernel"_a);
}

}  // namespace
}  // namespace omnimeans

namespace omnimeans {
void bind_parts(nb::module_& m);  // in parts_bindings.cpp
void bind_unit(nb::module_& m);  // in unit_bindings.cpp
void bind_table(nb::module_& m);  // in table_bindings.cpp
void bind_silhouette(nb::module_& m);  // in silhouette_bindings.cpp
void bind_shrink(nb::module_& m);  // in shrink_bindings.cpp
void bind_stores(nb::module_& m);  // in bind_stores.cpp
void bind_interrupts(nb::module_& m);  // in interrupts.cpp
void bind_sparse(nb::module_& m);  // in bind_sparse.cpp
void bind_halves(nb::module_& m);  // in bind_halves.cpp
void bind_groups(nb::module_& m);  // in bind_groups.cpp
void bind_survey(nb::module_& m);  // in survey.cpp
void bind_different(nb::module_& m);  // in different.cpp
}

NB_MODULE(_core, m) {
  using namespace omnimeans;
  m.doc() = "The compiled core of omnimeans; see native/.";
  bind_interrupts(m);
  kernels();  // a wrong OMNIMEANS_ISA is an error at import, not at the first fit

  m.def("isa", [] { return std::string(kernels().name); });
  m.def("offered", &offered_kernels);
  m.def("set_chunk_rows", [](std::int64_t rows) { chunk_rows = rows; });
  m.def("means", [](Aligned<nb::ndarray<const std::int64_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>> sums,
                    In1<std::int64_t> exponents, int bits, int threads) {
    require(sums.shape(1) == 2 && sums.shape(2) == exponents.shape(0) && exponents.shape(0) > 0,
            "sums and grid differ");
    require_grid(exponents, bits);
    const std::size_t k = sums.shape(0), columns = sums.shape(2);
    Out<double> out = new_array<double>({k, columns - 1}), weights = new_array<double>({k});
    {
      nb::gil_scoped_release release;
      means(sums.data(), k, columns, exponents.data(), bits, out.data(), weights.data(),
            some(threads));
    }
    return nb::make_tuple(out, weights);
  }, "sums"_a, "exponents"_a, "bits"_a, "threads"_a = 1);
  m.def(
      "total",
      [](In1<double> values, MaybeWeights weights) {
        const double* w = data_of(weights, values.shape(0));
        nb::gil_scoped_release release;
        return exact_total(values.data(), w, values.shape(0));
      },
      "values"_a.noconvert(), "weights"_a.none().noconvert());
  bind_rows<float>(m, "RowsF32", "SeedingF32");
  bind_rows<double>(m, "RowsF64", "SeedingF64");
  bind_parts(m);
  bind_unit(m);
  bind_table(m);
  bind_silhouette(m);
  bind_shrink(m);
  bind_stores(m);
  bind_sparse(m);
  bind_halves(m);
  bind_groups(m);
  bind_survey(m);
  bind_different(m);
}
