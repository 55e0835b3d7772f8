// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <openssl/types.h>

#include <string>
#include <string_view>

namespace eventweft::crypto {

/// A PEM file, and what whoever gave it calls it ("--cert").
struct named_file {
  std::string_view name;
  const std::string& path;
};

/// Of OpenSSL's last failure, which was about this file:
/// `bad_configuration`, "NAME: PATH: " and why, in words that say what to
/// mend. `wanted` is what the file should have held.
error file_fault(named_file file, std::string_view wanted);

/// What a server or a client is to show of itself: the certificate, with what
/// leads to its authority, and its key, which has no passphrase and may be in
/// the same file.
expected<void> show_certificate(SSL_CTX* context, named_file certificate,
                                named_file key);

} // namespace eventweft::crypto
