// C++ values to terms and back, by type; what does not fit is told with the path to it.
//
//   Term term = ToTerm(std::map<std::string, std::vector<int>>{{"a", {1, 2}}});
//   ASSIGN_OR_RETURN(auto items, FromTerm<std::vector<Item>>(term));
//       // InvalidArgument (badarg): "at [2].price: found <<"dear">>, expected a number"
//
// C++                             a term                 also taken from a term
//   bool                          true or false
//   integers                      integer                only one that fits the type
//   float, double                 float (finite)         integer
//   std::string                   binary                 list of characters
//   const char*, string_view      binary                 (not from a term)
//   base::Slice                   binary                 shares its bytes with the term
//   AtomName                      atom
//   Pid, Port, Reference, Term    itself
//   std::optional<T>              undefined, or T
//   std::vector<T>                proper list
//   std::map<K, V>                map
//   std::pair, std::tuple         tuple of that size
//   std::variant<T...>            what it holds          the first T that fits
//   struct with kTerm             record or map
//
//   struct Item {
//     std::string name;
//     double price = 0;
//     static constexpr auto kTerm =                                 // {item, <<"tea">>, 2.5}
//         Record("item", Field("name", &Item::name), Field("price", &Item::price));
//   };
//
// With Fields(...) instead of Record("item", ...) it is a map with atoms as keys: keys that are not
// named are passed over, and an optional field may be missing. Another type converts by its own
// TermConversion. Functions of their arguments: any thread. Source: OTP "Erlang Reference Manual",
// Records; erl_interface's conventions for undefined.
#pragma once

#include "dist/convert_containers.h"
#include "dist/convert_core.h"
#include "dist/convert_scalars.h"
#include "dist/convert_structs.h"
