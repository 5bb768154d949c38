// What ends a pass before its time: a signal (Ctrl-C), or the deadline that the thread has set.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>

#include <chrono>
#include <limits>
#include <optional>

#include "pool.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace omnimeans {
namespace {

using Clock = std::chrono::steady_clock;

double now() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }

// A pass is asked about by the thread that called it, so each thread has a deadline of its own.
thread_local double deadline = std::numeric_limits<double>::infinity();
PyObject* time_is_up = nullptr;  // the exception

bool requested() {
  const bool late = now() > deadline;
  nb::gil_scoped_acquire acquire;
  if (late) {
    deadline = std::numeric_limits<double>::infinity();  // said once
    PyErr_SetString(time_is_up, "the time that was given is over");
    return true;
  }
  return PyErr_CheckSignals() != 0;
}

}  // namespace

void bind_interrupts(nb::module_& m) {
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const Interrupted&) {
      // The exception is set already, by the signal's handler or by `requested`.
    }
  });
  time_is_up = PyErr_NewExceptionWithDoc("omnimeans._core.TimeIsUp",
                                         "Raised out of a pass at the deadline.", nullptr, nullptr);
  if (!time_is_up) throw nb::python_error();
  m.attr("TimeIsUp") = nb::handle(time_is_up);
  interrupt_requested = requested;
  m.def(
      "set_deadline",
      [](std::optional<double> seconds) {
        deadline = seconds ? now() + *seconds : std::numeric_limits<double>::infinity();
      },
      "seconds"_a.none());
  m.def(
      "set_patience", [](int microseconds) { patience = std::chrono::microseconds(microseconds); },
      "microseconds"_a);
}

}  // namespace omnimeans
