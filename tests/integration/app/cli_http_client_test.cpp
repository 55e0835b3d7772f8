// SPDX-License-Identifier: Apache-2.0
#include "app/cli/connection.hpp"
#include "app/cli/http_client.hpp"
#include "tests/integration/app/cli_support.hpp"

#include <cstdlib>
#include <tuple>

namespace eventweft::cli {
namespace {

using outgoing::testing_support::temporary_file;
using outgoing::testing_support::test_ca;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

http_client client_for(const std::string& url, std::string token = {},
                       std::chrono::milliseconds timeout = 30s) {
  return http_client{
      *parse_server_url(url),
      {.url = url, .token = std::move(token), .timeout = timeout}};
}

TEST(CliUrl, ReadsItsParts) {
  auto url = parse_server_url("http://127.0.0.1:8080");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, "8080");
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->base, "");
  url = parse_server_url("https://hub.example/under/here/");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->port, "443");
  EXPECT_EQ(url->base, "/under/here");
  url = parse_server_url("http://[::1]:81");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, "81");
  EXPECT_EQ(url->authority, "[::1]:81");
  for (std::string_view bad : {"", "localhost:80", "ftp://h", "http://",
                               "http://h:x", "http://h:", "http://u:p@h",
                               "http://h?x", "http://h:123456", "http:// h"})
    EXPECT_FALSE(parse_server_url(bad)) << bad;
  for (const auto* port : {"0", "65536", "98509", "x"})
    EXPECT_FALSE(parse_server_url(std::string{"http://hub:"} + port)) << port;
}

TEST(CliHttpClient, SendsWhatItIsToldAndReadsTheAnswer) {
  request_log seen;
  scripted_server server{[&](peer& p) {
    while (true) {
      const auto text = p.read_request();
      if (text.empty())
        return;
      seen.add(read_request(text));
      p.send(answer(201, "made"));
    }
  }};
  auto client = client_for(to(server).url + "/base", "t0ken");
  for (int i = 0; i < 2; ++i) {
    const auto got =
        client.send({"POST", "/x?y=1", {{"X-Extra", "v"}}, "body"});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 201);
    EXPECT_EQ(got->body, "made");
    EXPECT_EQ(got->content_type, "application/json");
  }
  const auto requests = seen.all();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/base/x?y=1");
  EXPECT_EQ(requests[0].body, "body");
  EXPECT_EQ(requests[0].headers.at("x-extra"), "v");
  EXPECT_EQ(requests[0].headers.at("authorization"), "Bearer t0ken");
  EXPECT_EQ(server.connections(), 1u) << "the connection was not used again";
}

TEST(CliHttpClient, ReadsEveryKindOfBody) {
  for (std::string_view text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\n"
        "llo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"}) {
    scripted_server server{[&](peer& p) {
      p.read_request();
      p.send(text);
    }};
    auto client = client_for(to(server).url);
    const auto got = client.send({"GET", "/", {}, {}});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "hello");
  }
}

TEST(CliHttpClient, AsksAgainWhenAnIdleConnectionWasClosed) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send(answer(200, "ok")); // says keep-alive, but closes
  }};
  auto client = client_for(to(server).url);
  for (int i = 0; i < 3; ++i) {
    const auto got = client.send({"GET", "/", {}, {}});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200);
  }
}

TEST(CliHttpClient, ReadsTheAnswerToABodyThatIsRefusedEarly) {
  scripted_server server{[](peer& p) {
    p.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n"
           "Connection: close\r\n\r\nno");
    p.wait_for_close();
  }};
  auto client = client_for(to(server).url);
  const auto got = client.send({"POST", "/", {}, std::string(1u << 20, 'x')});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 413);
}

TEST(CliHttpClient, TellsWhyItCannotReachTheServer) {
  std::string url;
  {
    scripted_server server{[](peer&) {}};
    url = to(server).url;
  }
  auto client = client_for(url);
  const auto got = client.send({"GET", "/", {}, {}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ec::store_unavailable);
  EXPECT_THAT(got.error().message, HasSubstr(url));
  EXPECT_THAT(got.error().message, HasSubstr("eventweft serve"));
}

TEST(CliHttpClient, DoesNotWaitForever) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.wait_for_close();
  }};
  auto client = client_for(to(server).url, {}, 50ms);
  const auto got = client.send({"GET", "/", {}, {}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ec::timed_out);
}

TEST(CliHttpClient, TellsAProblemInItsOwnWords) {
  EXPECT_EQ(failure_text({401, "application/problem+json",
                          R"({"title":"Unauthorized","detail":"no token"})"}),
            "HTTP 401: no token");
  EXPECT_EQ(failure_text({502, "text/html", "<html>"}), "HTTP 502: <html>");
  EXPECT_EQ(failure_text({500, "", ""}), "HTTP 500");
  EXPECT_EQ(failure_text({400, "application/problem+json",
                          R"({"detail":"no \u001b[2J"})"}),
            "HTTP 400: no ?[2J");
  EXPECT_EQ(failure_text({502, "text/html", "<html>\n\x1b[2J"}),
            "HTTP 502: <html> ?[2J");
}

class CliTls : public ::testing::Test {
 protected:
  CliTls() {
    const char* before = std::getenv("SSL_CERT_FILE");
    before_ = before ? before : "";
  }
  ~CliTls() override {
    if (before_.empty())
      ::unsetenv("SSL_CERT_FILE");
    else
      ::setenv("SSL_CERT_FILE", before_.c_str(), 1);
  }

  expected<http_response> ask(const std::string& names,
                              const std::string& trusted) {
    const temporary_file file{trusted};
    ::setenv("SSL_CERT_FILE", file.path().c_str(), 1);
    scripted_server server{[](peer& p) {
                             p.read_request();
                             p.send(answer(200, "secret"));
                           },
                           ca_.issue(names)};
    auto client =
        client_for("https://127.0.0.1:" + std::to_string(server.port()));
    return client.send({"GET", "/", {}, {}});
  }

  test_ca ca_;
  std::string before_;
};

TEST_F(CliTls, SpeaksToAServerWhoseCertificateHolds) {
  const auto got = ask("IP:127.0.0.1", ca_.certificate());
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "secret");
}

TEST_F(CliTls, RefusesAnotherAuthority) {
  const auto got = ask("IP:127.0.0.1", test_ca{}.certificate());
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("certificate"));
}

TEST_F(CliTls, RefusesAnotherName) {
  const auto got = ask("DNS:other.example", ca_.certificate());
  ASSERT_FALSE(got);
}

TEST_F(CliTls, ShowsItsCertificateWhereOneIsAskedFor) {
  const temporary_file trusted{ca_.certificate()};
  const auto own = ca_.issue("DNS:me");
  const temporary_file certificate{own.certificate};
  const temporary_file key{own.key};
  const temporary_file both{own.certificate + own.key};
  scripted_server server{[](peer& p) {
                           p.read_request();
                           p.send(answer(200, "secret"));
                         },
                         ca_.issue("IP:127.0.0.1"), ca_.certificate()};
  const auto ask_with = [&](const std::string& cert,
                            const std::string& cert_key) {
    connection to_it;
    to_it.url = "https://127.0.0.1:" + std::to_string(server.port());
    to_it.ca = trusted.path();
    to_it.certificate = cert;
    to_it.key = cert_key;
    return connect_to(to_it).value()->send({"GET", "/", {}, {}});
  };
  for (const auto& got :
       {ask_with(certificate.path(), key.path()), ask_with(both.path(), "")}) {
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, "secret");
  }
  EXPECT_FALSE(ask_with("", ""));
  for (const auto& [cert, cert_key, words] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"/nowhere", key.path(), "--cert: /nowhere"},
           {certificate.path(), "/nowhere", "--cert-key: /nowhere"},
           {"", key.path(), "--cert-key: needs"}}) {
    const auto got = ask_with(cert, cert_key);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ec::bad_configuration);
    EXPECT_THAT(got.error().message, HasSubstr(words));
  }
}

} // namespace
} // namespace eventweft::cli
