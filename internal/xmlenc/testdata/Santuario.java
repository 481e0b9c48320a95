import java.io.File;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.xml.security.Init;
import org.apache.xml.security.encryption.EncryptedKey;
import org.apache.xml.security.encryption.XMLCipher;
import org.apache.xml.security.keys.KeyInfo;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * Encrypts the Assertion in a document once for each line of a list, which is
 * "file content transport digest mask label", with - for what is left out; or
 * decrypts all files of a directory in their place.
 */
public class Santuario {
    public static void main(String[] args) throws Exception {
        Init.init();
        if (args[0].equals("encrypt")) {
            PublicKey key = CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[1])).getPublicKey();
            for (String line : Files.readAllLines(new File(args[3]).toPath())) {
                encrypt(key, new File(args[2]), new File(args[4]), line.split(" "));
            }
            return;
        }
        String pem = Files.readString(new File(args[1]).toPath()).replaceAll("-----[A-Z ]+-----|\\s", "");
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        for (File f : new File(args[2]).listFiles()) {
            Document doc = read(f);
            XMLCipher c = XMLCipher.getInstance();
            c.init(XMLCipher.DECRYPT_MODE, null);
            c.setKEK(key);
            c.doFinal(doc, (Element) doc.getElementsByTagNameNS("http://www.w3.org/2001/04/xmlenc#", "EncryptedData").item(0));
            write(doc, f);
        }
    }

    static void encrypt(PublicKey key, File plain, File dir, String[] how) throws Exception {
        Document doc = read(plain);
        int bits = Integer.parseInt(how[1].replaceAll(".*#aes([0-9]+)-.*", "$1"));
        KeyGenerator g = KeyGenerator.getInstance("AES");
        g.init(bits);
        SecretKey session = g.generateKey();
        XMLCipher wrap = how[3].equals("-") ? XMLCipher.getInstance(how[2]) : XMLCipher.getInstance(how[2], null, how[3]);
        wrap.init(XMLCipher.WRAP_MODE, key);
        EncryptedKey wrapped = wrap.encryptKey(doc, session, how[4].equals("-") ? null : how[4],
            how[5].equals("-") ? null : how[5].getBytes(StandardCharsets.UTF_8));
        XMLCipher c = XMLCipher.getInstance(how[1]);
        c.init(XMLCipher.ENCRYPT_MODE, session);
        KeyInfo info = new KeyInfo(doc);
        info.add(wrapped);
        c.getEncryptedData().setKeyInfo(info);
        c.doFinal(doc, (Element) doc.getElementsByTagNameNS("urn:oasis:names:tc:SAML:2.0:assertion", "Assertion").item(0), false);
        write(doc, new File(dir, how[0]));
    }

    static Document read(File f) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(f);
    }

    static void write(Document doc, File f) throws Exception {
        Transformer t = TransformerFactory.newInstance().newTransformer();
        t.transform(new DOMSource(doc), new StreamResult(f));
    }
}
