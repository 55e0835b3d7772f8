// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "net/outgoing/target.hpp"
#include "net/outgoing/types.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace eventweft::outgoing {

/// TLS 1.2 or newer, peers verified against the certificates in `ca_file`
/// (PEM), or the system's if it is empty. `bad_configuration` if the file
/// can't be used.
expected<std::unique_ptr<asio::ssl::context>>
make_tls_context(const std::string& ca_file);

/// Makes `stream` send the name it wants (SNI, unless `peer` is an address),
/// offer `http/1.1`, and insist on a certificate for that name or address.
/// False if OpenSSL refuses.
bool expect_peer(tls_stream& stream, const origin& peer, bool is_address);

/// Why the handshake failed, for people: the certificate's fault if it was
/// that, else `ec`'s text.
std::string handshake_error(tls_stream& stream, const error_code& ec);

} // namespace eventweft::outgoing
