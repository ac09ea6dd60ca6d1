#include "tests/testlib/temp_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fmt/format.h"
#include <gtest/gtest.h>

namespace noded::testlib {

TempDir::TempDir() {
  const char* parent = std::getenv("TEST_TMPDIR");
  path_ = fmt::format("{}/dir_XXXXXX", parent ? parent : "/tmp");
  if (!mkdtemp(path_.data())) ADD_FAILURE() << "cannot make the folder " << path_;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::File(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

std::string TempDir::Write(std::string_view name, std::string_view text) const {
  const std::string path = File(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  chmod(path.c_str(), 0600);
  file << text << std::flush;
  if (!file) ADD_FAILURE() << "cannot write " << path;
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) ADD_FAILURE() << "cannot read " << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace noded::testlib
