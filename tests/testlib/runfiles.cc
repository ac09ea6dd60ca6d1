#include "tests/testlib/runfiles.h"

#include <unistd.h>

#include <cstdlib>

#include "fmt/format.h"
#include <gtest/gtest.h>

namespace noded::testlib {

std::string ProgramPath(std::string_view path) {
  const char* root = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  const std::string found =
      fmt::format("{}/{}/{}", root ? root : ".", workspace ? workspace : "noded", path);
  if (access(found.c_str(), R_OK) != 0) {
    ADD_FAILURE() << found << " is not there: name its target in the test's `data`, and run the "
                  << "test with bazel";
  }
  return found;
}

}  // namespace noded::testlib
