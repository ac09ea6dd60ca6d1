// A folder of a test's own, below Bazel's TEST_TMPDIR, removed with all that is in it.
//
//   TempDir dir;
//   const std::string path = dir.Write("node.args", "-name a@127.0.0.1\n");   // mode 0600
//   EXPECT_EQ(ReadFile(dir.File("out")), "...");
//
// A failure to make or write is a test failure.
#pragma once

#include <string>
#include <string_view>

namespace noded::testlib {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // The path that a file of this name has or will have.
  std::string File(std::string_view name) const;
  // Writes the file, readable by its owner only, and gives its path.
  std::string Write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

// The whole file; a test failure and an empty text when it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace noded::testlib
