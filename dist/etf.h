// The external term format: terms as bytes, as term_to_binary/1 and the distribution protocol write
// them.
//
//   ASSIGN_OR_RETURN(Term term, DecodeTerm(bytes, limits));        // 131 and one term, nothing
//   behind EncodeTerm(term, out);                                         // 131 and the term
//   // In a packet: a control message and a payload behind each other, atoms from the header's
//   table. ASSIGN_OR_RETURN(DecodedTerm control, DecodeBareTermAt(packet, offset, atoms, limits));
//   ASSIGN_OR_RETURN(DecodedTerm payload, DecodeBareTermAt(packet, offset + control.size, atoms,
//   limits));
//
// Decoded binaries share `bytes`; nothing else does. Memory used is at most some 70 times the bytes
// read, whatever counts they claim. Functions without state: any thread.
// Errors: DataLoss (malformed, or a tag that we do not know: the text names tag and byte; it
// concerns this term only), ResourceExhausted (a limit: depth, elements, unpacked size). Reads what
// OTP 25 to 29 may send, old tags included. Writes what OTP 25 and later accept, by the choice that
// OTP makes for term_to_binary(Term, [{minor_version, 2}]). Source: OTP erts/doc "External Term
// Format".
#pragma once

#include <cstddef>
#include <span>

#include "absl/status/statusor.h"
#include "base/byte_writer.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "dist/term.h"

namespace noded::dist {

class AtomTable;

struct DecodedTerm {
  Term term;
  size_t size = 0;  // bytes taken from the input
};

// `bytes` is 131 and one term, compressed or not, and nothing else.
absl::StatusOr<Term> DecodeTerm(const base::Slice& bytes, const base::Limits& limits);

// The same from `offset` on; more bytes may follow.
absl::StatusOr<DecodedTerm> DecodeTermAt(const base::Slice& bytes, size_t offset,
                                         const base::Limits& limits);

// A term without its 131, as behind a distribution header. `atoms` is the table that the header
// gave, empty where there is none; offsets in errors count from the start of `bytes`.
absl::StatusOr<DecodedTerm> DecodeBareTermAt(const base::Slice& bytes, size_t offset,
                                             std::span<const Term> atoms,
                                             const base::Limits& limits);

// Large binaries are linked into `out`, not copied.
void EncodeTerm(const Term& term, base::ByteWriter& out);
// With `atoms` (dist/atom_table.h) atoms are written as numbers of that table.
void EncodeBareTerm(const Term& term, base::ByteWriter& out, AtomTable* atoms = nullptr);
// The bytes of EncodeTerm in one piece.
base::Slice EncodeTerm(const Term& term);

}  // namespace noded::dist
