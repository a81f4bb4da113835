// An SMTP server that we did not write: nodemailer's. It takes one kind of login, and prints its port and then each login.
const { SMTPServer } = require(process.argv[2] + "/smtp-server");
const method = process.argv[3];

const server = new SMTPServer({
  authMethods: [method],
  allowInsecureAuth: true,
  disabledCommands: ["STARTTLS"],
  onAuth(auth, session, done) {
    const known = {
      "CRAM-MD5": () => auth.validatePassword("sandbox-password"),
      XOAUTH2: () => auth.accessToken === "sandbox-token",
    }[auth.method] ?? (() => auth.password === "sandbox-password");
    const right = auth.username === "sandbox" && known();
    console.log(`${auth.method} ${right}`);
    done(null, right ? { user: auth.username } : { data: { status: "401", schemes: "bearer mac", scope: "https://mail.example.com/" } });
  },
  onData(stream, session, done) {
    stream.resume();
    stream.on("end", () => done());
  },
});
server.listen(0, "127.0.0.1", () => console.log(server.server.address().port));
