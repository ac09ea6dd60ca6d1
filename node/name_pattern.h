// A pattern in which * stands for any text. All of a text must fit.
//
//   NamePattern("shop*@*").Fits("shop1@a.example.net")
//   RETURN_IF_ERROR(CheckNodePattern("shop*"));                     // no node is called so
//   NamePattern({"*@", ".example"}).Fits("*@any.example")           // in pieces: one star between
//
// Plain values: any thread. Errors: InvalidArgument, which says what is expected.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace noded::node {

class NamePattern {
 public:
  explicit NamePattern(std::string_view pattern);
  // What stands between its stars, at least one piece; a star within a piece stands for itself.
  explicit NamePattern(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  bool Fits(std::string_view text) const;

 private:
  std::vector<std::string> pieces_;
};

// Whether there are names of nodes that the pattern fits.
absl::Status CheckNodePattern(std::string_view pattern);

}  // namespace noded::node
