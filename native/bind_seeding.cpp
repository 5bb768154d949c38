// The Python face of k-means++: what the core knows about the rows while centres are chosen.
#include <nanobind/nanobind.h>

#include "arrays.hpp"
#include "seeding.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace omnimeans {

template <typename T>
void bind_seeding(nb::module_& m, const char* name) {
  using Start = Seeding<T>;
  nb::class_<Start>(m, name)
      .def("draw",
           [](const Start& self, In1<std::uint64_t> tickets) {
             Out<std::int64_t> out = new_array<std::int64_t>({tickets.shape(0)});
             self.draw(tickets.data(), tickets.shape(0), out.data());
             return out;
           },
           "tickets"_a.noconvert())
      .def("play",
           [](Start& self, In1<std::uint64_t> tickets, In1<double> luck, std::int64_t trials,
              std::int64_t rounds, bool) {
             require(luck.shape(0) == tickets.shape(0) && tickets.shape(0) > 0 && trials > 0,
                     "each candidate needs a ticket and its luck");
             std::vector<std::int64_t> chosen;
             {
               nb::gil_scoped_release release;
               chosen = self.play(tickets.data(), luck.data(), tickets.shape(0), trials, rounds);
             }
             nb::list out;
             for (const std::int64_t row : chosen) out.append(row);
             return out;
           },
           "tickets"_a.noconvert(), "luck"_a.noconvert(), "trials"_a, "rounds"_a, "first"_a)
      .def("play_each",
           [](Start& self, In1<std::uint64_t> bits, std::int64_t trials, std::int64_t k) {
             require(trials > 0 && k > 0, "a round needs a candidate");
             std::vector<std::int64_t> chosen;
             {
               nb::gil_scoped_release release;
               chosen = self.play_each(bits.data(), bits.shape(0), trials, k);
             }
             return copy_of(chosen, {chosen.size()});
           },
           "bits"_a.noconvert(), "trials"_a, "k"_a)
      .def("closest",
           [](const Start& self, In1<std::int64_t> numbers) {
             for (std::size_t m = 0; m < numbers.shape(0); ++m) {
               require(numbers(m) >= 0 && numbers(m) < self.rows(), "there is no such row");
             }
             Out<double> out = new_array<double>({numbers.shape(0)});
             self.closest(numbers.data(), numbers.shape(0), out.data());
             return out;
           },
           "numbers"_a.noconvert())
      .def("meet",
           [](Start& self, InC<T> candidates) {
             require(static_cast<std::int64_t>(candidates.shape(1)) == self.columns() &&
                         candidates.shape(0) > 0,
                     "the candidates need as many columns as the rows");
             nb::gil_scoped_release release;
             self.meet(candidates.data(), candidates.shape(0));
           },
           "candidates"_a.noconvert())
      .def("worth",
           [](Start& self, In1<std::int64_t> which) {
             require(self.candidates() > 0, "no candidate has been met");
             for (std::size_t m = 0; m < which.shape(0); ++m) {
               require(which(m) >= 0 && which(m) < self.candidates(), "there is no such candidate");
             }
             Out<std::int64_t> out = new_array<std::int64_t>({which.shape(0)});
             {
               nb::gil_scoped_release release;
               self.worth(which.data(), which.shape(0), out.data());
             }
             return out;
           },
           "which"_a.noconvert())
      .def("adopt", [](Start& self, std::int64_t which) {
        require(which >= 0 && which < self.candidates(), "there is no such candidate");
        nb::gil_scoped_release release;
        self.adopt(which);
      });
}

template void bind_seeding<float>(nb::module_& m, const char* name);
template void bind_seeding<double>(nb::module_& m, const char* name);

}  // namespace omnimeans
