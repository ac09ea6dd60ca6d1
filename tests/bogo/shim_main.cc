// The program that BoringSSL's BoGo runner starts for each of its cases (README.md). It connects to
// the runner's port, once more for each session to go on with, and ends with 0 (all as expected), 1
// (not, and why, on standard error) or 89 (asked for what is not implemented).
#include <cstdio>
#include <string>
#include <vector>

#include "tests/bogo/exchange.h"
#include "tests/bogo/flags.h"

namespace {

constexpr int kFailed = 1;
constexpr int kUnimplemented = 89;

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return absl::IsUnimplemented(status) ? kUnimplemented : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace noded;
  const auto flags = bogo::ParseFlags(std::vector<std::string>(argv + 1, argv + argc));
  if (!flags.ok()) return Report(flags.status());
  if (flags->is_handshaker_supported) {
    std::puts("No");
    return 0;
  }
  bogo::Exchanges exchanges(*flags);
  for (int i = 0; i <= flags->resume_count; ++i) {
    const absl::Status status = exchanges.Run(i);
    if (!status.ok()) return Report(status);
  }
  return 0;
}
