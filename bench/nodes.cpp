// SPDX-License-Identifier: Apache-2.0
#include "bench/nodes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

namespace eventweft::bench {

namespace {

using namespace std::chrono_literals;

/// A directory of a group's below that of the run.
constexpr const char* group_directory = "cluster";

void openssl(const std::filesystem::path& home, std::vector<std::string> how) {
  how.insert(how.begin(), "openssl");
  run({std::move(how), {}, home, home / "openssl.log", std::nullopt}, 20s);
}

/// `openssl req` for a new key, as docs/cluster.md has it.
void request_certificate(const std::filesystem::path& home,
                         const std::string& subject, const std::string& key,
                         const std::string& result,
                         const std::vector<std::string>& more) {
  std::vector<std::string> how{"req",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:P-256",
                               "-nodes",
                               "-subj",
                               "/CN=" + subject,
                               "-keyout",
                               key,
                               "-out",
                               result};
  how.insert(how.end(), more.begin(), more.end());
  openssl(home, std::move(how));
}

void make_authority(const std::filesystem::path& home) {
  request_certificate(home, "eventweft bench", "ca.key", "ca.pem",
                      {"-x509", "-days", "2"});
}

void make_certificate(const std::filesystem::path& home,
                      const std::string& name) {
  request_certificate(home, name, name + ".key", name + ".csr", {});
  std::ofstream{home / (name + ".ext")} << "subjectAltName=DNS:" << name
                                        << '\n';
  openssl(home, {"x509", "-req", "-in", name + ".csr", "-CA", "ca.pem",
                 "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                 "-extfile", name + ".ext", "-out", name + ".pem"});
}

/// How many other nodes this one has a link to.
size_t links_of(const hub& node) {
  const auto answer = http_get(node.address(), "/api/v1/cluster");
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos)
    throw bench_error("no status of a node: " + answer.substr(0, 600));
  const auto status = boost::json::parse(answer.substr(body + 4));
  size_t up = 0;
  for (const auto& other : status.at("nodes").as_array()) {
    const auto& link = other.at("link");
    if (link.is_object() && link.at("state").as_string() == "up")
      ++up;
  }
  return up;
}

} // namespace

node_group::node_group(
    const setting& s, const std::string& url, size_t count,
    std::vector<std::pair<std::string, std::string>> environment)
    : setting_(s),
      url_(url),
      environment_(std::move(environment)),
      home_(std::filesystem::absolute(s.work / group_directory)) {
  std::filesystem::create_directories(home_);
  make_authority(home_);
  for (size_t i = 0; i < count; ++i)
    make_certificate(home_, name_of(i));
  for (size_t i = 0; i < count; ++i)
    nodes_.push_back(started(i));
  wait_linked();
}

std::string node_group::name_of(size_t i) {
  return "node-" + std::to_string(i + 1);
}

std::vector<const hub*> node_group::all() const {
  std::vector<const hub*> out;
  for (const auto& node : nodes_)
    out.push_back(&node);
  return out;
}

hub node_group::started(size_t i) const {
  const auto name = name_of(i);
  auto environment = environment_;
  const auto set = [&](const std::string& key, std::string value) {
    environment.emplace_back("EVENTWEFT_CLUSTER_" + key, std::move(value));
  };
  set("ENABLED", "true");
  set("NAME", name);
  set("LISTEN", "127.0.0.1:0");
  set("CERTIFICATE", home_ / (name + ".pem"));
  set("KEY", home_ / (name + ".key"));
  set("CA", home_ / "ca.pem");
  return {setting_, std::string{group_directory} + '/' + name, url_,
          std::move(environment)};
}

void node_group::leave(size_t i) {
  nodes_[i].stop();
}

void node_group::rejoin(size_t i) {
  nodes_[i] = started(i);
  wait_linked();
}

void node_group::stop() {
  for (auto& node : nodes_)
    node.stop();
}

void node_group::wait_linked() const {
  const auto end = now_ns() + 40'000'000'000;
  for (size_t i = 0; i < nodes_.size();) {
    if (links_of(nodes_[i]) + 1 >= nodes_.size()) {
      ++i;
      continue;
    }
    if (now_ns() > end)
      throw bench_error(name_of(i) + " lacks a link; it said:\n" +
                        read_file(home_ / name_of(i) / "log"));
    std::this_thread::sleep_for(10ms);
  }
}

} // namespace eventweft::bench
