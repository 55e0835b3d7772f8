// SPDX-License-Identifier: Apache-2.0
#include "net/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace eventweft::net {

namespace {

/// No record holds more.
constexpr size_t record_bytes = 16u << 10;
/// From here on nothing more is encrypted until the socket has taken some.
constexpr size_t enough_unsent = 64u << 10;
/// What a peer that asks without listening may make us answer.
constexpr size_t too_much_unsent = 256u << 10;

} // namespace

const BIO_METHOD* tls_channel::method() {
  struct owned {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "eventweft");
    owned() {
      BIO_meth_set_write(made, bio_write);
      BIO_meth_set_read(made, bio_read);
      BIO_meth_set_ctrl(made, bio_control);
    }
    ~owned() { BIO_meth_free(made); }
    owned(const owned&) = delete;
    owned& operator=(const owned&) = delete;
  };
  static const owned one;
  return one.made;
}

tls_channel::tls_channel(SSL_CTX* context, int fd)
    : fd_(fd), ssl_(SSL_new(context), SSL_free) {
  if (!ssl_)
    throw std::bad_alloc{};
  auto* bio = BIO_new(method());
  if (bio == nullptr)
    throw std::bad_alloc{};
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

tls_channel::~tls_channel() = default;

// -- what OpenSSL writes to and reads from ------------------------------------

int tls_channel::bio_write(BIO* bio, const char* data, int size) {
  auto& me = *static_cast<tls_channel*>(BIO_get_data(bio));
  me.cipher_.append(data, static_cast<size_t>(size));
  return size;
}

int tls_channel::bio_read(BIO* bio, char* data, int size) {
  auto& me = *static_cast<tls_channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto n = ::recv(me.fd_, data, static_cast<size_t>(size), MSG_DONTWAIT);
  if (n > 0)
    return static_cast<int>(n);
  if (n == 0) {
    me.ended_ = true;
    return 0;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    BIO_set_retry_read(bio);
  else
    me.ended_ = true;
  return -1;
}

long tls_channel::bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH)
    return 1;
  if (command == BIO_CTRL_EOF)
    return static_cast<tls_channel*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return 0;
}

error_code tls_channel::error_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE:
    return asio::error::would_block;
  case SSL_ERROR_ZERO_RETURN:
    return asio::error::eof;
  default:
    break;
  }
  const auto code = ERR_peek_error();
  plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  ERR_clear_error();
  // An end without a word is what plain TCP has, too; HTTP tells by itself
  // whether something is missing.
  return ended_ ? error_code{asio::error::eof}
                : error_code{asio::error::connection_aborted};
}

// -- calls --------------------------------------------------------------------

error_code tls_channel::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? error_code{} : error_of(result);
}

size_t tls_channel::read(void* to, size_t size, error_code& ec) {
  ec = {};
  if (unsent() > too_much_unsent) {
    ec = asio::error::no_buffer_space;
    return 0;
  }
  ERR_clear_error();
  size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), to, size, &got);
  if (result == 1)
    return got;
  ec = error_of(result);
  return 0;
}

bool tls_channel::has_pending() const noexcept {
  return SSL_has_pending(ssl_.get()) == 1;
}

size_t tls_channel::encrypt(std::string_view bytes, error_code& ec) {
  ec = {};
  size_t taken = 0;
  while (taken != bytes.size() && unsent() < enough_unsent) {
    ERR_clear_error();
    const auto piece = std::min(bytes.size() - taken, record_bytes);
    size_t done = 0;
    const int result =
        SSL_write_ex(ssl_.get(), bytes.data() + taken, piece, &done);
    if (result != 1) {
      ec = error_of(result);
      break;
    }
    taken += done;
  }
  if (taken == 0 && !ec && !bytes.empty())
    ec = asio::error::would_block;
  return taken;
}

void tls_channel::flush(error_code& ec) {
  ec = {};
  while (sent_ != cipher_.size()) {
    const auto n = ::send(fd_, cipher_.data() + sent_, cipher_.size() - sent_,
                          MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      sent_ += static_cast<size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      ec = asio::error::would_block;
      return;
    } else if (errno != EINTR) {
      ec = {errno, boost::system::system_category()};
      return;
    }
  }
  // Most connections are idle most of the time: they should cost nothing.
  drop();
}

void tls_channel::say_goodbye() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get()) == 1)
    SSL_shutdown(ssl_.get());
  ERR_clear_error();
  error_code ignored;
  flush(ignored);
}

void tls_channel::drop() {
  std::string{}.swap(cipher_);
  sent_ = 0;
}

} // namespace eventweft::net
