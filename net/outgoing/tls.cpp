// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/tls.hpp"

#include <boost/asio/ssl/host_name_verification.hpp>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <utility>

namespace eventweft::outgoing {

namespace ssl = asio::ssl;

expected<std::unique_ptr<ssl::context>>
make_tls_context(const std::string& ca_file) {
  // The constructor throws where OpenSSL can't give a context.
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  error_code failed;
  if (ca_file.empty())
    context->set_default_verify_paths(failed);
  else
    context->load_verify_file(ca_file, failed);
  if (failed)
    return fail(ec::bad_configuration,
                "no CA certificates from " +
                    (ca_file.empty() ? "the system" : "\"" + ca_file + "\"") +
                    ": " + failed.message());
  context->set_verify_mode(ssl::verify_peer, failed);
  if (failed || SSL_CTX_set_min_proto_version(context->native_handle(),
                                              TLS1_2_VERSION) != 1)
    return fail(ec::internal, "OpenSSL refuses a TLS client's settings");
  return context;
}

bool expect_peer(tls_stream& stream, const origin& peer, bool is_address) {
  auto* const native = stream.native_handle();
  static constexpr std::array<unsigned char, 9> http11{8,   'h', 't', 't', 'p',
                                                       '/', '1', '.', '1'};
  if (SSL_set_alpn_protos(native, http11.data(), http11.size()) != 0)
    return false;
  if (!is_address) {
    // What SSL_set_tlsext_host_name stands for, without its C cast.
    auto name = peer.host;
    if (SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                 TLSEXT_NAMETYPE_host_name, name.data()) != 1)
      return false;
  }
  error_code failed;
  stream.set_verify_callback(ssl::host_name_verification(peer.host), failed);
  return !failed;
}

std::string handshake_error(tls_stream& stream, const error_code& ec) {
  const long why = SSL_get_verify_result(stream.native_handle());
  if (why != X509_V_OK)
    return X509_verify_cert_error_string(why);
  return ec.message();
}

} // namespace eventweft::outgoing
