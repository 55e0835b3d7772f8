// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/request.hpp"
#include "actors/platforms/signature_scheme.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// Proves requests of one platform: its schemes with the configured secrets.
/// Immutable, thread-safe. Signatures and tokens are compared in constant
/// time.
class signature_verifier {
 public:
  /// `bad_configuration` names a secret that fits none of the schemes. Empty
  /// secrets count as not configured.
  static expected<signature_verifier>
  make(std::string platform, std::vector<signature_scheme> schemes,
       const config::platform_settings& settings);

  /// The first scheme whose header is there decides, together with the others
  /// that read the same header: a sender can't choose a weaker proof by
  /// breaking a stronger one. `unauthorized` says what is missing or wrong;
  /// `malformed` when the proof can't be checked without reading a body that
  /// is broken. True: proven; false: taken without proof as configured.
  expected<bool> verify(request& r, timestamp now) const;

  /// Whether there is anything to prove requests with.
  bool has_keys() const noexcept;

  /// The schemes as HTTP authentication names them: `Bearer` for a token in
  /// `Authorization`, `Token` for one elsewhere, `Signature`.
  std::string challenge() const;

 private:
  struct prepared {
    signature_scheme scheme;
    std::vector<std::string> keys;
  };

  expected<void> check(const prepared& p, request& r, std::string_view value,
                       timestamp now) const;

  std::string platform_;
  std::vector<prepared> schemes_;
  bool allow_unsigned_ = false;
};

} // namespace eventweft::platforms
