// For maps by term: `std::unordered_map<Term, X, TermHash>`. Keys are compared by =:=.
#pragma once

#include <cstddef>

#include "dist/term.h"

namespace noded::dist {

struct TermHash {
  size_t operator()(const Term& term) const { return term.Hash(); }
};

}  // namespace noded::dist
