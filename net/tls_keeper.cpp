// SPDX-License-Identifier: Apache-2.0
#include "net/tls_keeper.hpp"

#include "crypto/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>
#include <utility>

namespace eventweft::net {

namespace {

using context_ptr = std::shared_ptr<SSL_CTX>;

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, offered,
                            size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

expected<context_ptr> make_context(const config::tls_settings& s) {
  ERR_clear_error();
  context_ptr made{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  if (!made)
    return fail(ec::internal, "no memory for TLS");
  auto* c = made.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_PRIORITIZE_CHACHA |
                             SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  // Clients keep their sessions in tickets; nothing of them is kept here.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  constexpr std::string_view id = "eventweft";
  SSL_CTX_set_session_id_context(
      c, reinterpret_cast<const unsigned char*>(id.data()), id.size());
  SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  if (auto shown = crypto::show_certificate(
          c, {"[server.tls] certificate", s.certificate},
          {"[server.tls] key", s.key});
      !shown)
    return fail(std::move(shown.error()));
  if (!s.client_ca.empty()) {
    auto* names = SSL_load_client_CA_file(s.client_ca.c_str());
    if (names == nullptr ||
        SSL_CTX_load_verify_locations(c, s.client_ca.c_str(), nullptr) != 1) {
      sk_X509_NAME_pop_free(names, X509_NAME_free);
      return fail(crypto::file_fault({"[server.tls] client_ca", s.client_ca},
                                     "certificate in PEM form"));
    }
    SSL_CTX_set_client_CA_list(c, names);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
  }
  return made;
}

} // namespace

tls_keeper::tls_keeper(const config::tls_settings& settings)
    : settings_(settings),
      certificate_(settings.certificate),
      key_(settings.key),
      client_ca_(settings.client_ca) {}

expected<std::shared_ptr<tls_keeper>>
tls_keeper::open(const config::tls_settings& settings) {
  if (settings.certificate.empty() || settings.key.empty())
    return fail(ec::bad_configuration,
                std::string{"[server.tls] "} +
                    (settings.certificate.empty() ? "certificate" : "key") +
                    ": is missing: TLS needs both certificate and key");
  std::shared_ptr<tls_keeper> made{new tls_keeper{settings}};
  if (const auto first = made->look(); !first)
    return fail(first.error());
  return made;
}

std::shared_ptr<SSL_CTX> tls_keeper::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

expected<bool> tls_keeper::look() {
  const std::lock_guard turn{looking_};
  // All of them, each time.
  bool changed = certificate_.changed();
  changed = key_.changed() || changed;
  changed = (!settings_.client_ca.empty() && client_ca_.changed()) || changed;
  if (!changed)
    return false;
  auto fresh = make_context(settings_);
  if (!fresh)
    return fail(std::move(fresh.error()));
  const std::lock_guard lock{mutex_};
  current_.swap(*fresh);
  return true;
}

} // namespace eventweft::net
