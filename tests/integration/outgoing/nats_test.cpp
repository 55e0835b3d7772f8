// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/nats_poster.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <nats/nats.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace eventweft::outgoing {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(fd, generic, size);
  ::getsockname(fd, generic, &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Debian's nats-server with JetStream, on a port and a directory of its own.
class nats_server {
 public:
  explicit nats_server(std::vector<std::string> more = {},
                       std::string host = "127.0.0.1")
      : more_(std::move(more)),
        host_(std::move(host)),
        port_(free_port()),
        home_(std::filesystem::temp_directory_path() /
              ("eventweft-nats-" + std::to_string(::getpid()) + "-" +
               std::to_string(port_))) {
    std::filesystem::create_directories(home_);
    start();
  }

  ~nats_server() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(home_, ignored);
  }

  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  void start() {
    const auto port = std::to_string(port_);
    const auto directory = home_.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int null = ::open("/dev/null", O_RDWR);
      for (int fd : {0, 1, 2})
        ::dup2(null, fd);
      std::vector<std::string> words{"nats-server", "-a",     "127.0.0.1",
                                     "-p",          port,     "-js",
                                     "-sd",         directory};
      words.insert(words.end(), more_.begin(), more_.end());
      std::vector<char*> args;
      for (auto& word : words)
        args.push_back(word.data());
      args.push_back(nullptr);
      ::execvp("nats-server", args.data());
      ::_exit(127);
    }
  }

  /// As it is, it reads and answers nothing any more.
  void freeze() {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }

  void start_with(std::vector<std::string> more) {
    more_ = std::move(more);
    start();
  }

  void stop() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::string url(const std::string& subject) const {
    return address() + '/' + subject;
  }
  std::string address() const {
    return "nats://" + host_ + ':' + std::to_string(port_);
  }

 private:
  std::vector<std::string> more_;
  std::string host_;
  uint16_t port_;
  std::filesystem::path home_;
  pid_t pid_ = 0;
};

/// An administrator's connection: makes the stream and looks into it.
class observer {
 public:
  explicit observer(const nats_server& server,
                    const queue_access& access = {}) {
    const auto until = std::chrono::steady_clock::now() + patience;
    natsStatus status = NATS_ERR;
    while (status != NATS_OK && std::chrono::steady_clock::now() < until) {
      natsOptions* options = nullptr;
      natsOptions_Create(&options);
      natsOptions_SetURL(options, server.address().c_str());
      if (access.tls) {
        natsOptions_SetSecure(options, true);
        natsOptions_LoadCATrustedCertificates(options, access.ca_file.c_str());
        natsOptions_SetUserInfo(options, access.user.c_str(),
                                access.password.c_str());
      }
      status = natsConnection_Connect(&connection_, options);
      natsOptions_Destroy(options);
      if (status == NATS_OK)
        status = natsConnection_JetStream(&js_, connection_, nullptr);
      if (status == NATS_OK) {
        jsStreamConfig config;
        jsStreamConfig_Init(&config);
        const char* subjects[] = {"hub.>"};
        config.Name = "HUB";
        config.Subjects = subjects;
        config.SubjectsLen = 1;
        jsErrCode code{};
        status = js_AddStream(nullptr, js_, &config, nullptr, &code);
      }
      if (status != NATS_OK) {
        close();
        std::this_thread::sleep_for(50ms);
      }
    }
    if (status != NATS_OK)
      throw std::runtime_error{std::string{"no nats-server: "} +
                               natsStatus_GetText(status)};
  }

  ~observer() { close(); }
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;

  uint64_t messages() {
    jsStreamInfo* info = nullptr;
    jsErrCode code{};
    if (js_GetStreamInfo(&info, js_, "HUB", nullptr, &code) != NATS_OK)
      return 0;
    const auto n = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    return n;
  }

  struct seen {
    std::string subject;
    std::string body;
    std::string key;
  };

  seen message(uint64_t seq) {
    natsMsg* msg = nullptr;
    jsErrCode code{};
    if (js_GetMsg(&msg, js_, "HUB", seq, nullptr, &code) != NATS_OK)
      return {};
    seen out;
    out.subject = natsMsg_GetSubject(msg);
    out.body.assign(natsMsg_GetData(msg),
                    static_cast<size_t>(natsMsg_GetDataLength(msg)));
    const char* key = nullptr;
    if (natsMsgHeader_Get(msg, "eventweft-key", &key) == NATS_OK)
      out.key = key;
    natsMsg_Destroy(msg);
    return out;
  }

 private:
  void close() {
    jsCtx_Destroy(js_);
    natsConnection_Destroy(connection_);
    js_ = nullptr;
    connection_ = nullptr;
  }

  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
};

request message(const std::string& url, const std::string& body,
                const std::string& id) {
  request r;
  r.url = url;
  r.body = shared_text{body};
  r.headers = {{"webhook-id", id}, {"eventweft-key", "thread-1"}};
  r.total_timeout = 2s;
  r.connect_timeout = 1s;
  return r;
}

std::future<result> begin(poster& p, request what) {
  auto answer = std::make_shared<std::promise<result>>();
  auto future = answer->get_future();
  p.post(std::move(what), [answer](result r) { answer->set_value(r); });
  return future;
}

result end(std::future<result> future) {
  if (future.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error{"no answer"};
  return future.get();
}

result post(poster& p, request what) {
  return end(begin(p, std::move(what)));
}

TEST(nats_poster, IsDoneOnceTheServerHasIt) {
  const nats_server server;
  observer stream{server};
  const auto p = make_nats_poster();
  const auto r =
      post(*p, message(server.url("hub.events"), R"({"a":1})", "msg_1"));
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(stream.messages(), 1u);
  const auto seen = stream.message(1);
  EXPECT_EQ(seen.subject, "hub.events");
  EXPECT_EQ(seen.body, R"({"a":1})");
  EXPECT_EQ(seen.key, "thread-1");
}

TEST(nats_poster, SpeaksTlsToWhoItShouldBeAsWhoWeAre) {
  const testing_support::test_ca ca, other;
  const auto pair = ca.issue("DNS:localhost");
  const testing_support::temporary_file authority{ca.certificate()};
  const testing_support::temporary_file wrong{other.certificate()};
  const testing_support::temporary_file certificate{pair.certificate};
  const testing_support::temporary_file key{pair.key};
  const nats_server server{{"--tls", "--tlscert", certificate.path(),
                            "--tlskey", key.path(), "--user", "hub", "--pass",
                            "secret"},
                           "localhost"};
  queue_access good;
  good.tls = true;
  good.ca_file = authority.path();
  good.user = "hub";
  good.password = "secret";
  observer stream{server, good};
  const auto sent = [&](const queue_access& access, std::string url) {
    return post(*make_nats_poster(access), message(url, "{}", "msg_1"));
  };
  const auto r = sent(good, server.url("hub.events"));
  EXPECT_TRUE(r) << r.error().message;
  EXPECT_EQ(stream.messages(), 1u);
  auto bad = good;
  bad.ca_file = wrong.path();
  EXPECT_FALSE(sent(bad, server.url("hub.events")));
  bad = good;
  bad.password = "wrong";
  EXPECT_FALSE(sent(bad, server.url("hub.events")));
  bad = good;
  bad.user.clear();
  EXPECT_FALSE(sent(bad, server.url("hub.events")));
  bad = good;
  bad.tls = false;
  EXPECT_FALSE(sent(bad, server.url("hub.events")));
  // The certificate is localhost's.
  auto elsewhere = server.url("hub.events");
  elsewhere.replace(elsewhere.find("localhost"), 9, "127.0.0.1");
  EXPECT_FALSE(sent(good, elsewhere));
  EXPECT_EQ(stream.messages(), 1u);
}

TEST(nats_poster, TheServerDropsWhatItHas) {
  const nats_server server;
  observer stream{server};
  const auto p = make_nats_poster();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(post(*p, message(server.url("hub.events"), "{}", "msg_same")));
  EXPECT_EQ(stream.messages(), 1u);
}

TEST(nats_poster, AReplayIsNoRepeat) {
  const nats_server server;
  observer stream{server};
  const auto p = make_nats_poster();
  const auto send = [&](const char* replay) {
    auto m = message(server.url("hub.events"), "{}", "msg_same");
    if (*replay != '\0')
      m.headers.emplace_back(std::string{replay_header}, replay);
    EXPECT_TRUE(post(*p, std::move(m)));
  };
  send("");
  send("2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(stream.messages(), 2u);
  send("2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(stream.messages(), 2u) << "tried again";
  send("2026-01-31T12:00:01.000000Z");
  EXPECT_EQ(stream.messages(), 3u);
}

TEST(nats_poster, ManyAtOnceAllArrive) {
  const nats_server server;
  observer stream{server};
  const auto p = make_nats_poster();
  constexpr int count = 2'000;
  std::atomic<int> good = 0;
  std::atomic<int> done = 0;
  for (int i = 0; i < count; ++i)
    p->post(message(server.url("hub.x"), std::to_string(i),
                    "msg_" + std::to_string(i)),
            [&](const result& r) {
              good += r ? 1 : 0;
              ++done;
            });
  const auto until = std::chrono::steady_clock::now() + patience;
  while (done < count && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(5ms);
  EXPECT_EQ(good, count);
  EXPECT_EQ(stream.messages(), static_cast<uint64_t>(count));
}

TEST(nats_poster, ASubjectThatNoStreamKeepsIsAFailure) {
  const nats_server server;
  const observer stream{server};
  const auto p = make_nats_poster();
  const auto r = post(*p, message(server.url("elsewhere"), "{}", "msg_1"));
  EXPECT_FALSE(r);
}

TEST(nats_poster, AServerThatIsAwayIsAFailureUntilItIsBack) {
  nats_server server;
  { const observer stream{server}; }
  const auto p = make_nats_poster();
  EXPECT_TRUE(post(*p, message(server.url("hub.a"), "1", "msg_1")));
  server.stop();
  EXPECT_FALSE(post(*p, message(server.url("hub.a"), "2", "msg_2")));
  server.start();
  const auto until = std::chrono::steady_clock::now() + patience;
  bool back = false;
  while (!back && std::chrono::steady_clock::now() < until)
    back = post(*p, message(server.url("hub.a"), "2", "msg_2")).has_value();
  EXPECT_TRUE(back);
  observer stream{server};
  EXPECT_EQ(stream.messages(), 2u);
}

TEST(nats_poster, AConnectionThatIsClosedForGoodEndsWhatIsOnItsWay) {
  nats_server server;
  { const observer stream{server}; }
  const auto p = make_nats_poster();
  ASSERT_TRUE(post(*p, message(server.url("hub.a"), "1", "msg_1")));
  server.freeze();
  auto lasting = message(server.url("hub.a"), "2", "msg_2");
  lasting.total_timeout = 10 * patience;
  auto on_its_way = begin(*p, std::move(lasting));
  server.stop();
  // The library gives up where it is not let in twice.
  server.start_with({"--user", "hub", "--pass", "secret"});
  const auto r = end(std::move(on_its_way));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
  // Another connection is made then, and not let in either.
  const auto next = post(*p, message(server.url("hub.a"), "3", "msg_3"));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, failure_kind::connect);
}

TEST(nats_poster, NobodyThereIsAFailure) {
  const auto p = make_nats_poster();
  const auto url = "nats://127.0.0.1:" + std::to_string(free_port()) + "/a";
  const auto r = post(*p, message(url, "{}", "msg_1"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::connect);
}

TEST(nats_poster, ABadUrlIsRefused) {
  const auto p = make_nats_poster();
  for (const auto* url :
       {"nats://host/a", "nats://host:1/", "nats://u:p@host:1/a",
        "nats://host:1/a..b", "nats://host:1/a b", "nats://host:99999/a",
        "amqp://host:1/a"}) {
    const auto r = post(*p, message(url, "{}", "msg_1"));
    ASSERT_FALSE(r) << url;
    EXPECT_EQ(r.error().kind, failure_kind::bad_request) << url;
  }
}

} // namespace
} // namespace eventweft::outgoing
