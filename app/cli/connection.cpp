// SPDX-License-Identifier: Apache-2.0
#include "app/cli/connection.hpp"

#include <CLI/CLI.hpp>

namespace eventweft::cli {

void add_connection(CLI::App& app, connection& server) {
  app.add_option("--url", server.url, "The server")
      ->envname("EVENTWEFT_URL")
      ->capture_default_str()
      ->type_name("URL");
  app.add_option("--token", server.token,
                 "An API token; better kept in the variable")
      ->envname("EVENTWEFT_TOKEN")
      ->type_name("TOKEN");
  app.add_option("--ca", server.ca,
                 "Trust certificates from these authorities (PEM) instead of "
                 "the system's")
      ->envname("EVENTWEFT_CA")
      ->type_name("FILE");
  app.add_option("--cert", server.certificate,
                 "Show this certificate (PEM) where the server asks for one")
      ->envname("EVENTWEFT_CERT")
      ->type_name("FILE");
  app.add_option("--cert-key", server.key,
                 "Its key (PEM, without a passphrase), if it is in another "
                 "file")
      ->envname("EVENTWEFT_CERT_KEY")
      ->type_name("FILE");
}

expected<std::unique_ptr<http_client>> connect_to(const connection& server) {
  auto url = parse_server_url(server.url);
  if (!url)
    return fail(url.error());
  client_options options;
  options.url = server.url;
  options.token = server.token;
  options.ca = server.ca;
  options.certificate = server.certificate;
  options.key = server.key;
  return std::make_unique<http_client>(std::move(*url), std::move(options));
}

} // namespace eventweft::cli
