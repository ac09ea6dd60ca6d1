// Where Bazel put a program that the test names in `data`.
//
//   Process::Start({.argv = {ProgramPath("cli/noded"), ...}});    // data = ["//cli:noded"]
//
// A program that is not there is a test failure that says what `data` lacks.
#pragma once

#include <string>
#include <string_view>

namespace noded::testlib {

// Of a file of this workspace: folder and name.
std::string ProgramPath(std::string_view path);

}  // namespace noded::testlib
