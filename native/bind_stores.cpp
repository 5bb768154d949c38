// Stores for Python: rows in other number types and layouts, and their placed forms.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <system_error>

#include "arrays.hpp"
#include "lengths.hpp"
#include "lent.hpp"
#include "numbers.hpp"
#include "partial.hpp"
#include "seeding.hpp"
#include "store.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

template <typename T>
class HeldSeeding final : public Seeding<T> {
 public:
  using typename Seeding<T>::Finder;
  HeldSeeding(const Held<T>& rows, int threads)
      : Seeding<T>(rows.store().n, rows.store().d, rows.weights(), threads), rows_(rows) {}

 private:
  void find(std::vector<Finder>& finders) override {
    rows_.store().winners(this->candidates_.data(), this->count_, rows_.metric(), rows_.frame(),
                          this->closest_.data(), this->threads_,
                          [&](int worker, std::int64_t row, std::int32_t j, double away) {
                            finders[worker].note(row, j, away);
                          });
  }
  void measure(const T* center) override {
    std::vector<double> away(this->n_);
    rows_.distances(center, nullptr, away.data(), this->threads_);
    for (std::int64_t i = 0; i < this->n_; ++i) {
      this->closest_[i] = std::min(this->closest_[i], away[i]);
    }
  }
  const Held<T>& rows_;
};

using Any1 = nb::ndarray<nb::ro, nb::ndim<1>, nb::device::cpu>;
using Any2 = nb::ndarray<nb::ro, nb::ndim<2>, nb::device::cpu>;

Number number_of(nb::dlpack::dtype type) {
  struct Known {
    nb::dlpack::dtype_code code;
    int bits;
    Number number;
  };
  using Code = nb::dlpack::dtype_code;
  static constexpr Known known[] = {
      {Code::Float, 64, Number::f64}, {Code::Float, 32, Number::f32},
      {Code::Float, 16, Number::f16}, {Code::Int, 64, Number::i64},
      {Code::Int, 32, Number::i32},   {Code::Int, 16, Number::i16},
      {Code::Int, 8, Number::i8},     {Code::UInt, 64, Number::u64},
      {Code::UInt, 32, Number::u32},  {Code::UInt, 16, Number::u16},
      {Code::UInt, 8, Number::u8},    {Code::Bool, 8, Number::truth}};
  for (const Known& one : known) {
    if (type.code == static_cast<std::uint8_t>(one.code) && type.bits == one.bits &&
        type.lanes == 1) {
      return one.number;
    }
  }
  throw std::invalid_argument("this number type is not known");
}

template <typename T>
void bind_store(nb::module_& m, const char* name) {
  using Self = Store<T>;
  nb::class_<Self>(m, name)
      .def("take",
           [](const Self& self, In1<std::int64_t> numbers) {
             for (std::size_t i = 0; i < numbers.shape(0); ++i) {
               require(numbers(i) >= 0 && numbers(i) < self.n, "there is no such row");
             }
             Out<T> out = new_array<T>({numbers.shape(0), static_cast<std::size_t>(self.d)});
             self.take(numbers.data(), numbers.shape(0), out.data());
             return out;
           },
           "numbers"_a.noconvert())
      .def("peaks",
           [](const Self& self, MaybeWeights weights, int threads) {
             const double* w = data_of(weights, self.n);
             std::vector<double> all;
             {
               nb::gil_scoped_release release;
               all = self.peaks(w, some(threads));
             }
             return copy_of(all, {all.size()});
           },
           "weights"_a.none().noconvert(), "threads"_a)
      .def("nearest",
           [](const Self& self, InC<T> centers, const std::string& kernel, int threads) {
             const std::int64_t k = width_of(self, centers);
             const Metric metric = metric_of(kernel);
             Out<std::int32_t> out = new_array<std::int32_t>({static_cast<std::size_t>(self.n)});
             {
               nb::gil_scoped_release release;
               const OwnFrame<T> own(centers.data(), k, self.d);
               self.assign(centers.data(), k, metric, own.frame(), out.data(), some(threads));
             }
             return out;
           },
           "centers"_a.noconvert(), "kernel"_a, "threads"_a)
      .def("own",
           [](const Self& self, InC<T> centers, In1<std::int32_t> labels,
              const std::string& kernel, int threads) {
             const std::int64_t k = width_of(self, centers);
             const Metric metric = metric_of(kernel);
             require(static_cast<std::int64_t>(labels.shape(0)) == self.n &&
                         within(labels.data(), self.n, 0, k),
                     "the number of a centre is needed for each row");
             Out<double> out = new_array<double>({static_cast<std::size_t>(self.n)});
             {
               nb::gil_scoped_release release;
               self.distances(centers.data(), labels.data(), metric, out.data(), some(threads));
             }
             return out;
           },
           "centers"_a.noconvert(), "labels"_a.noconvert(), "kernel"_a, "threads"_a)
      .def("all_pairs",
           [](const Self& self, InC<T> centers, const std::string& kernel, int threads) {
             const std::int64_t k = width_of(self, centers);
             const Metric metric = metric_of(kernel);
             Out<double> out = new_array<double>(
                 {static_cast<std::size_t>(self.n), static_cast<std::size_t>(k)});
             {
               nb::gil_scoped_release release;
               self.all_pairs(centers.data(), k, metric, out.data(), some(threads));
             }
             return out;
           },
           "centers"_a.noconvert(), "kernel"_a, "threads"_a)
      .def("lengths", &lengths_into<T, float>, "centers"_a.noconvert(), "kernel"_a,
           "out"_a.noconvert(), "threads"_a)
      .def("lengths", &lengths_into<T, double>, "centers"_a.noconvert(), "kernel"_a,
           "out"_a.noconvert(), "threads"_a)
      .def("hold",
           [](const Self& self, MaybeWeights weights, Labels labels, const std::string& kernel,
              In1<std::int64_t> exponents, int bits) {
             require(static_cast<std::int64_t>(labels.shape(0)) == self.n,
                     "a label is needed for each row");
             require(static_cast<std::int64_t>(exponents.shape(0)) == self.columns(),
                     "an exponent is needed for each column");
             require_grid(exponents, bits);
             return Held<T>(self, data_of(weights, self.n), labels.data(), metric_of(kernel),
                            Magic(exponents.data(), self.columns(), bits));
           },
           "weights"_a.none().noconvert(), "labels"_a.noconvert(), "kernel"_a,
           "exponents"_a.noconvert(), "bits"_a, nb::keep_alive<0, 1>(), nb::keep_alive<0, 2>(),
           nb::keep_alive<0, 3>());
}

template <typename T>
void bind_held(nb::module_& m, const char* name) {
  using Self = Held<T>;
  nb::class_<Self>(m, name)
      .def("set_frame",
           [](Self& self, In1<T> offset, double mean_square) {
             require(static_cast<std::int64_t>(offset.shape(0)) == self.store().d,
                     "an offset is needed for each column");
             self.set_frame(offset.data(), mean_square);
           },
           "offset"_a.noconvert(), "mean_square"_a)
      .def("step",
           [](Self& self, InC<T> centers, int threads) {
             const std::int64_t k = width_of(self.store(), centers);
             require(self.framed(), "the rows have no frame yet");
             Counts seen;
             {
               nb::gil_scoped_release release;
               seen = self.step(centers.data(), k, some(threads));
             }
             return nb::make_tuple(seen.moved, seen.redecided);
           },
           "centers"_a.noconvert(), "threads"_a)
      .def("resume",
           [](Self& self, std::int64_t k) {
             require(k > 0 && within(self.labels(), self.store().n, 0, k),
                     "a row has no cluster yet");
             self.resume(k);
           },
           "k"_a)
      .def("sums",
           [](const Self& self) {
             const std::size_t columns = self.store().columns();
             return copy_of(self.sums(), {self.sums().size() / (2 * columns), 2, columns});
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
             const std::int64_t k = self.clusters();
             require(cluster >= 0 && cluster < k, "there is no such cluster");
             require(within(self.labels(), self.store().n, 0, k), "a row has no cluster yet");
             for (std::size_t m = 0; m < numbers.shape(0); ++m) {
               require(numbers(m) >= 0 && numbers(m) < self.store().n, "there is no such row");
             }
             self.relabel(numbers.data(), numbers.shape(0), cluster);
           },
           "numbers"_a.noconvert(), "cluster"_a)
      .def("distances",
           [](const Self& self, InC<T> centers, std::optional<In1<std::int32_t>> labels,
              int threads) {
             const std::size_t n = self.store().n;
             const std::int64_t k = width_of(self.store(), centers);
             require(!labels || (labels->shape(0) == n && within(labels->data(), n, 0, k)),
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
      .def("inertia",
           [](const Self& self, InC<T> centers, std::optional<In1<std::int32_t>> labels,
              int threads) {
             const std::size_t n = self.store().n;
             const std::int64_t k = width_of(self.store(), centers);
             require(!labels || (labels->shape(0) == n && within(labels->data(), n, 0, k)),
                     "the number of a centre is needed for each row");
             nb::gil_scoped_release release;
             return self.inertia(centers.data(), labels ? labels->data() : nullptr, some(threads));
           },
           "centers"_a.noconvert(), "labels"_a.none().noconvert(), "threads"_a)
      .def("medians",
           [](const Self& self, std::size_t k, int threads) {
             const std::size_t n = self.store().n, d = self.store().d;
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
             return std::make_unique<HeldSeeding<T>>(self, some(threads));
           },
           nb::keep_alive<0, 1>());
}

template <typename T>
std::unique_ptr<Store<T>> lend(const Any2& x) {
  require(x.shape(0) > 0 && x.shape(1) > 0, "the matrix is empty");
  require(reinterpret_cast<std::uintptr_t>(x.data()) % (x.dtype().bits / 8) == 0,
          "the values are not aligned");
  return std::make_unique<Lent<T>>(Layout{x.data(), number_of(x.dtype()),
                                          static_cast<std::int64_t>(x.shape(0)),
                                          static_cast<std::int64_t>(x.shape(1)), x.stride(0),
                                          x.stride(1)});
}

// Rows in a file: `number` is an empty array of their type; `text` says what is wrong before and
// after the row that the file turns out to end in.
template <typename T>
std::unique_ptr<Store<T>> lend_file(const std::string& path, std::int64_t offset,
                                    std::int64_t row_step, std::int64_t n, std::int64_t d,
                                    const Any1& number, std::int64_t first, std::string before,
                                    std::string after) {
  require(n > 0 && d > 0 && row_step >= d && offset >= 0, "there are no such rows in a file");
  auto file = std::make_unique<File>(path);
  const Number kind = number_of(number.dtype());
  const std::int64_t rest = std::max<std::int64_t>(file->size() - offset, 0) / size_of(kind);
  // in 128 bits: a header may tell of any number of rows
  if (static_cast<__int128>(n - 1) * row_step + d > rest) {
    throw std::invalid_argument(before + std::to_string(first + rest / row_step) + after);
  }
  return std::make_unique<Lent<T>>(
      Layout{nullptr, kind, n, d, row_step, 1},
      InFile{std::move(file), offset, first, {std::move(before), std::move(after)}});
}

template <typename T>
bool finite(const Store<T>& store, int threads) {
  const auto* rows = dynamic_cast<const Lent<T>*>(&store);
  require(rows != nullptr, "only rows that are lent are looked at here");
  nb::gil_scoped_release release;
  return rows->finite(some(threads));
}

template <typename T>
std::unique_ptr<Store<T>> with_holes(const In2<T>& x, const In1<T>& fill) {
  require(fill.shape(0) == x.shape(1), "a value is needed for each column");
  return std::make_unique<Partial<T>>(matrix(x), fill.data());
}

}  // namespace

void bind_stores(nb::module_& m) {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::system_error& error) {  // of a file
      nb::object value = nb::make_tuple(error.code().value(), error.what());
      PyErr_SetObject(PyExc_OSError, value.ptr());
    }
  });
  bind_store<float>(m, "StoreF32");
  bind_store<double>(m, "StoreF64");
  bind_held<float>(m, "HeldF32");
  bind_held<double>(m, "HeldF64");
  m.def("lend_f32", &lend<float>, "x"_a.noconvert(), nb::keep_alive<0, 1>());
  m.def("lend_f64", &lend<double>, "x"_a.noconvert(), nb::keep_alive<0, 1>());
  m.def("lend_file_f32", &lend_file<float>);
  m.def("lend_file_f64", &lend_file<double>);
  m.def("finite", &finite<float>);
  m.def("finite", &finite<double>);
  m.def("with_holes", &with_holes<float>, "x"_a.noconvert(), "fill"_a.noconvert(),
        nb::keep_alive<0, 1>());
  m.def("with_holes", &with_holes<double>, "x"_a.noconvert(), "fill"_a.noconvert(),
        nb::keep_alive<0, 1>());
}

}  // namespace omnimeans
