// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/request.hpp"
#include "actors/platforms/text_template.hpp"
#include "crypto/digest.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// How the value of a signature's header is written.
enum class header_format {
  plain,            ///< the signature
  prefix,           ///< a fixed prefix, then the signature
  pairs,            ///< `t=1,v1=SIG,v1=SIG`: one key holds signatures
  space_list,       ///< `v1,SIG v1,SIG`: each with the prefix
  comma_list,       ///< `v1=SIG,v1=SIG`: each with the prefix
  algorithm_prefix, ///< `sha256=SIG`: the prefix names the algorithm
};

enum class proof_algorithm {
  hmac_sha1,
  hmac_sha256,
  hmac_sha512,
  ed25519,
  /// The header holds the secret itself.
  static_token,
};

enum class digest_encoding { hex, base64 };

/// How the configured text of a secret becomes key bytes.
enum class secret_encoding {
  raw,    ///< as it is
  base64, ///< base64 after the prefix, which may be missing
  hex,    ///< hexadecimal after the prefix, which may be missing
  /// base64 after the prefix, which must be there
  base64_prefixed,
  /// base64 after the prefix; as it is where there is no prefix
  base64_if_prefixed,
};

/// Where the signed time is, and how far from now it may be.
struct timestamp_rule {
  enum class origin { none, header, json, signature };
  enum class unit { seconds, milliseconds, rfc3339 };

  origin from = origin::none;
  /// The header (lower case), the JSON pointer, or the key beside the
  /// signature in its header.
  std::string name;
  unit in = unit::seconds;
  std::chrono::milliseconds tolerance{300'000};
  /// Also times that lie ahead by more than the tolerance are refused.
  bool refuse_future = true;
};

/// How one kind of proof is made, as data. All platforms are checked by the
/// same code, `signature_verifier`.
struct signature_scheme {
  /// Lower case; empty: `query_parameter` holds the proof.
  std::string header;
  std::string query_parameter;
  header_format format = header_format::plain;
  /// For `prefix`, `space_list`, `comma_list`; for `pairs` the key.
  std::string prefix;
  proof_algorithm algorithm = proof_algorithm::hmac_sha256;
  /// For `algorithm_prefix`: what the prefix may name.
  std::vector<proof_algorithm> allowed;
  digest_encoding encoding = digest_encoding::hex;
  secret_encoding secret = secret_encoding::raw;
  std::string secret_prefix;
  /// What is signed; unused by `static_token`.
  text_template base;
  /// Headers (lower case) whose value must not hold a '.', which separates
  /// them in `base`.
  std::vector<std::string> without_dots;
  timestamp_rule time;
  /// Headers (lower case) that look like proof and are none, such as an
  /// outdated SHA-1 signature, each with the sentence to refuse it with.
  std::vector<std::pair<std::string, std::string>> refused;
};

/// What was read from the value of a signature's header.
struct parsed_signature {
  struct candidate {
    proof_algorithm algorithm;
    /// As written: still hex or base64.
    std::string_view text;
  };
  std::vector<candidate> candidates;
  /// From beside the signature; empty if there is none.
  std::string_view timestamp;
};

/// Most signatures looked at in one header.
inline constexpr size_t max_signatures = 16;

/// Reads a header's value. Never fails: what does not fit is no candidate.
/// Views point into `value`.
parsed_signature parse_signature(const signature_scheme& scheme,
                                 std::string_view value);

/// The key bytes of a configured secret; nothing if it does not decode.
std::optional<std::string> decode_secret(const signature_scheme& scheme,
                                         std::string_view secret);

/// "header X-Signature": where the proof is.
std::string place_of(const signature_scheme& s);

/// Checks the time that a proven request carries against `now`.
expected<void> check_timestamp(const signature_scheme& scheme, request& r,
                               std::string_view beside_signature,
                               timestamp now);

std::string_view to_string(proof_algorithm a) noexcept;

/// Of an HMAC.
crypto::hash hash_of(proof_algorithm a) noexcept;

} // namespace eventweft::platforms
