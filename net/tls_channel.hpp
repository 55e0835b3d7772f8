// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/types.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace eventweft::net {

/// The server's end of TLS over a socket that does not block. What is read is
/// taken from the socket at once; what is written is encrypted into a buffer
/// of ours and goes to the socket as far as that takes it, many records in one
/// system call. Every call returns at once, with `would_block` when the socket
/// has to become ready first: readable after `read` and `handshake`, writable
/// while `unsent()` is not 0. Used by one thread; must not be moved.
class tls_channel {
 public:
  /// `fd` is neither owned nor closed.
  tls_channel(SSL_CTX* context, int fd);
  ~tls_channel();
  tls_channel(const tls_channel&) = delete;
  tls_channel& operator=(const tls_channel&) = delete;

  /// One step of it; no error once it is complete.
  error_code handshake();
  /// After a handshake that failed: the peer speaks HTTP without TLS.
  bool met_plain_http() const noexcept { return plain_http_; }

  size_t read(void* to, size_t size, error_code& ec);
  /// Whether `read` has something without the socket.
  bool has_pending() const noexcept;

  /// Takes a bounded part of `bytes`, as long as not too much is unsent. The
  /// caller flushes.
  size_t encrypt(std::string_view bytes, error_code& ec);
  /// Sends what is unsent, as far as the socket takes it.
  void flush(error_code& ec);
  size_t unsent() const noexcept { return cipher_.size() - sent_; }

  /// Tells the peer that nothing more will come, as far as that can be sent
  /// now.
  void say_goodbye();
  /// Forgets what is unsent.
  void drop();

 private:
  static const BIO_METHOD* method();
  static int bio_write(BIO* bio, const char* data, int size);
  static int bio_read(BIO* bio, char* data, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  error_code error_of(int result);

  int fd_;
  std::string cipher_;
  size_t sent_ = 0;
  bool ended_ = false;
  bool plain_http_ = false;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

} // namespace eventweft::net
