#include "base/task.h"

#include "fmt/format.h"

namespace noded::base {

absl::Status EscapedException(const std::string& task, std::exception_ptr error) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  return Error(absl::StatusCode::kInternal, fmt::format("task {}: exception {}", task, what),
               "this is a bug in noded; please report it");
}

}  // namespace noded::base
