// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/file_watch.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <openssl/types.h>

#include <memory>
#include <mutex>

namespace eventweft::net {

/// The server's certificate and key, as the files have them. TLS 1.2 and 1.3,
/// `http/1.1` by ALPN. Thread-safe.
class tls_keeper {
 public:
  /// `bad_configuration` names the file that can't be used.
  static expected<std::shared_ptr<tls_keeper>>
  open(const config::tls_settings& settings);

  /// What new connections are to use.
  std::shared_ptr<SSL_CTX> current() const;

  /// Looks at the files and takes them up if they have changed: true then. With
  /// an error all stays as it was, until they change again.
  expected<bool> look();

 private:
  explicit tls_keeper(const config::tls_settings& settings);

  const config::tls_settings settings_;
  std::mutex looking_;
  config::file_watch certificate_;
  config::file_watch key_;
  config::file_watch client_ca_;
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> current_;
};

} // namespace eventweft::net
