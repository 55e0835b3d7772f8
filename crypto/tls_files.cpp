// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstring>

namespace eventweft::crypto {

namespace {

// Nobody is there to type it.
int no_key_passphrase(char*, int, int, void*) {
  return 0;
}

error fault_with(named_file file, std::string_view why) {
  ERR_clear_error();
  return {ec::bad_configuration,
          std::string{file.name} + ": " + file.path + ": " + std::string{why}};
}

} // namespace

error file_fault(named_file file, std::string_view wanted) {
  // What the system said comes first, and what TLS has against it last;
  // between them, and where there is neither, OpenSSL tells of its own
  // functions.
  const auto first = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(first))
    return fault_with(file, std::strerror(ERR_GET_REASON(first)));
  const auto last = ERR_peek_last_error();
  const auto* reason = ERR_reason_error_string(last);
  if (ERR_GET_LIB(last) == ERR_LIB_SSL && !ERR_COMMON_ERROR(last) &&
      reason != nullptr)
    return fault_with(file, std::string{"TLS does not take it: "} + reason);
  return fault_with(file, "holds no readable " + std::string{wanted});
}

expected<void> show_certificate(SSL_CTX* context, named_file certificate,
                                named_file key) {
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(context, no_key_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.path.c_str()) !=
      1)
    return fail(file_fault(certificate, "certificate in PEM form"));
  const bool taken = SSL_CTX_use_PrivateKey_file(context, key.path.c_str(),
                                                 SSL_FILETYPE_PEM) == 1;
  if (!taken && ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509)
    return fail(
        file_fault(key, "private key in PEM form without a passphrase"));
  // A key of another kind is taken at first.
  if (!taken || SSL_CTX_check_private_key(context) != 1)
    return fail(fault_with(key, "does not belong to the certificate"));
  return {};
}

} // namespace eventweft::crypto
