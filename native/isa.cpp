// Chooses the kernels when they are first asked for.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "codes.hpp"
#include "kernels.hpp"

namespace omnimeans {
namespace {

struct Choice {
  const Kernels* screen;
  const Exact* exact;
};

struct Offer {
  const char* name;
  bool (*usable)();
  Choice (*open)();
};

// Best first.
constexpr Offer kOffers[] = {
#if defined(OMNIMEANS_X86_KERNELS)
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
     },
     [] { return Choice{&avx512::screen_kernels(), &avx512::exact_kernels()}; }},
    {"avx2",
     [] {
       return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("bmi2");
     },
     [] { return Choice{&avx2::screen_kernels(), &avx2::exact_kernels()}; }},
#endif
    {"baseline", [] { return true; },
     [] { return Choice{&baseline::screen_kernels(), &baseline::exact_kernels()}; }},
};

Choice choose() {
  const char* wanted = std::getenv("OMNIMEANS_ISA");
  const bool any = wanted == nullptr || *wanted == '\0';
  for (const Offer& offer : kOffers) {
    if ((any || std::string(offer.name) == wanted) && offer.usable()) return offer.open();
  }
  throw std::runtime_error("OMNIMEANS_ISA=" + std::string(wanted) +
                           " but this machine offers " + offered_kernels() +
                           "; name one of these or unset OMNIMEANS_ISA");
}

const CodeScreen* choose_codes() {
#if defined(OMNIMEANS_X86_KERNELS)
  const bool widest = std::string(kernels().name) == "avx512";
  if (widest && __builtin_cpu_supports("avx512vnni")) return &avx512vnni::code_kernels();
#endif
  return nullptr;
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

}  // namespace

std::string offered_kernels() {
  std::string names;
  for (const Offer& offer : kOffers) {
    if (offer.usable()) names += (names.empty() ? "" : ", ") + std::string(offer.name);
  }
  return names;
}

const Kernels& kernels() { return *choice().screen; }
const Exact& exact() { return *choice().exact; }

const CodeScreen* code_screen() {
  static const CodeScreen* const chosen = choose_codes();
  return chosen;
}
template <>
const CodeKernels<float>& codes_for<float>() { return code_screen()->f32; }
template <>
const CodeKernels<double>& codes_for<double>() { return code_screen()->f64; }

template <>
const ScreenKernels<float>& screen_for<float>() { return kernels().screen_f32; }
template <>
const ScreenKernels<double>& screen_for<double>() { return kernels().screen_f64; }
template <>
const ExactKernels<float>& exact_for<float>() { return exact().f32; }
template <>
const ExactKernels<double>& exact_for<double>() { return exact().f64; }

}  // namespace omnimeans
